package modelpack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
)

// Install writes the model that source gives into the folder dir, which it
// makes where needed. Only the pinned bytes are kept: a file of another sum, or
// one that was cut off, leaves the folder as it was. progress, where not nil, is
// told how many bytes are there.
func (o Optional) Install(dir string, source io.Reader, progress func(done, total int)) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("modelpack: make the folder of models: %w", err)
	}
	data := make([]byte, 0, o.Bytes+1)
	for len(data) <= o.Bytes { // a byte more than the model has is a wrong model
		n, err := source.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if progress != nil {
			progress(min(len(data), o.Bytes), o.Bytes)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("modelpack: %s: %w", o.Title, err)
		}
	}
	if len(data) > o.Bytes {
		return fmt.Errorf("modelpack: %s has %d bytes, this has more: it is another file; nothing was installed", o.Title, o.Bytes)
	}
	if got := sum(data); got != o.SHA256 {
		return fmt.Errorf("modelpack: %s has SHA-256 %s, this (%d of %d bytes) has %s: it is another file, or cut off; nothing was installed",
			o.Title, o.SHA256, len(data), o.Bytes, got)
	}
	// Whole or not at all, even when the power fails: beside its place first.
	temp, err := os.CreateTemp(dir, "."+o.File+".*")
	if err != nil {
		return fmt.Errorf("modelpack: install %s: %w", o.Title, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("modelpack: install %s: %w", o.Title, err), os.Remove(temp.Name()))
		}
	}()
	_, errWrite := temp.Write(data)
	if err := errors.Join(errWrite, temp.Chmod(0o644), temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), filepath.Join(dir, o.File))
}

// Download installs the model from the first of its addresses that gives the
// pinned file, and returns that address. The client decides on proxies and on
// how long to wait.
func (o Optional) Download(ctx context.Context, client *http.Client, dir string, progress func(done, total int)) (string, error) {
	var errs []error
	for _, address := range o.Addresses {
		err := o.fetch(ctx, client, address, dir, progress)
		if err == nil {
			return address, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", address, err))
		if ctx.Err() != nil {
			break
		}
	}
	return "", fmt.Errorf("modelpack: %s cannot be downloaded: fetch it on a machine that can, and run `emolab models install %s --from FILE`: %w",
		o.Title, o.Name, errors.Join(errs...))
}

// fetch installs the model from one address.
func (o Optional) fetch(ctx context.Context, client *http.Client, address, dir string, progress func(done, total int)) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s", response.Status)
	}
	return o.Install(dir, response.Body, progress)
}
