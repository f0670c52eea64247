package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"emolab/capture/face"
	"emolab/capture/face/modelpack"
)

type modelsCmd struct {
	Install modelsInstallCmd `cmd:"" help:"Convert the face weights of the npm package and install them for this user."`
	Verify  modelsVerifyCmd  `cmd:"" help:"Check the checksums of the face models in use."`
}

// modelsInstallCmd gives a binary that was built without models its models.
type modelsInstallCmd struct {
	From string `help:"The model folder of the unpacked npm package @vladmandic/face-api 1.7.15." required:"" type:"existingdir" placeholder:"DIR"`
	To   string `help:"Where to install. Default: the user's data folder." type:"path" placeholder:"DIR"`
}

// Help shows examples below the flags.
func (modelsInstallCmd) Help() string {
	return `Example:
  npm pack @vladmandic/face-api@1.7.15 && tar xzf vladmandic-face-api-1.7.15.tgz
  emolab models install --from package/model`
}

// Run is the command.
func (c *modelsInstallCmd) Run(a *app) error {
	to := c.To
	if to == "" {
		var err error
		if to, err = installedModels(); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	pack, err := modelpack.Convert(c.From, to)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s %s: %d nets installed in %s\n", pack.Name, pack.Version, len(pack.Nets), to)
	return nil
}

// modelsVerifyCmd checks the models that would be used.
type modelsVerifyCmd struct {
	JSON bool `help:"Print JSON."`
}

// Help shows an example below the flags.
func (modelsVerifyCmd) Help() string { return "Example:\n  emolab models verify" }

// Run is the command.
func (c *modelsVerifyCmd) Run(a *app) error {
	fsys, where, err := models()
	if err != nil {
		return err
	}
	pack, err := modelpack.Verify(fsys)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a.out, pack)
	}
	fmt.Fprintf(a.out, "%s %s, %s\n", pack.Name, pack.Version, where)
	for _, n := range pack.Nets {
		fmt.Fprintf(a.out, "  ok  %-20s %8d bytes  sha256 %s\n", n.Name, n.Bytes, n.SHA256)
	}
	return nil
}

// models returns the face models to use: the embedded pack, else the installed
// one, and says in words which.
func models() (fsys fs.FS, where string, err error) {
	embedded := face.EmbeddedModels()
	_, missing := modelpack.Verify(embedded)
	if missing == nil {
		return embedded, "embedded in this binary", nil
	}
	dir, err := installedModels()
	if err != nil {
		return nil, "", err
	}
	if _, err := modelpack.Verify(os.DirFS(dir)); err == nil {
		return os.DirFS(dir), "installed in " + dir, nil
	}
	return nil, "", fmt.Errorf("%w (nor are there any in %s)", missing, dir)
}

// installedModels is the folder of models that a user installed.
func installedModels() (string, error) {
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "emolab", "models"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the data folder: %w", err)
	}
	return filepath.Join(home, ".local", "share", "emolab", "models"), nil
}

// printJSON writes v as indented JSON; every command that prints data offers it.
func printJSON(w interface{ Write([]byte) (int, error) }, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
