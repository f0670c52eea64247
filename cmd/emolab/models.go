package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"emolab/capture/face"
	"emolab/capture/face/modelpack"
)

type modelsCmd struct {
	List    modelsListCmd    `cmd:"" help:"List the face models: those in use and those that can be installed."`
	Install modelsInstallCmd `cmd:"" help:"Install an optional model, or the face weights of the npm package, for this user."`
	Verify  modelsVerifyCmd  `cmd:"" help:"Check the checksums of all face models."`
	Eval    modelsEvalCmd    `cmd:"" help:"Measure how well the face models read labelled pictures."`
}

// modelsListCmd lists what there is.
type modelsListCmd struct {
	JSON bool `help:"Print JSON."`
}

// Help shows an example below the flags.
func (modelsListCmd) Help() string { return "Example:\n  emolab models list" }

// Run is the command.
func (c *modelsListCmd) Run(a *app) error {
	all, err := inventory()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a.out, all)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tJOB\tLICENCE\tBYTES\tSHA-256\tSTATE\tFROM")
	for _, m := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%.12s\t%s\t%s\n", m.Name, m.Job, m.Licence, m.Bytes, m.SHA256, m.State, m.From)
	}
	return w.Flush()
}

// modelsInstallCmd installs an optional model; or gives a binary that was built
// without models its models.
type modelsInstallCmd struct {
	Name string `arg:"" optional:"" help:"The optional model (see emolab models list). Without a name: the pack of face weights."`
	From string `help:"The model's file, instead of downloading it. Without a name: the model folder of the unpacked npm package @vladmandic/face-api 1.7.15." type:"path" placeholder:"PATH"`
	To   string `help:"Where to install. Default: the user's data folder." type:"path" placeholder:"DIR"`
}

// Help shows examples below the flags.
func (modelsInstallCmd) Help() string {
	return `Examples:
  emolab models install yunet
  emolab models install yunet --from face_detection_yunet_2023mar.onnx
  npm pack @vladmandic/face-api@1.7.15 && tar xzf vladmandic-face-api-1.7.15.tgz
  emolab models install --from package/model`
}

// downloadTimeout bounds a download from one address. The models have a quarter
// of a megabyte: a line that is slower than a modem's is a dead one.
const downloadTimeout = 2 * time.Minute

// Run is the command.
func (c *modelsInstallCmd) Run(a *app) error {
	to := c.To
	if to == "" {
		var err error
		if to, err = installedModels(); err != nil {
			return err
		}
	}
	if c.Name == "" {
		return c.pack(a, to)
	}
	model, err := modelpack.Find(c.Name)
	if err != nil {
		return usagef("%v", err)
	}
	from, err := c.fetch(a, model, to)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s (%s, %s) from %s installed in %s\n", model.Title, model.Job, model.Licence, from, to)
	return nil
}

// fetch installs the model in the folder to and says where it came from.
func (c *modelsInstallCmd) fetch(a *app, model modelpack.Optional, to string) (string, error) {
	progress := newBar(a.err, model.Bytes, "installing "+model.Title)
	defer progress.finish()
	told := func(done, total int) { progress.set(done, total, "installing "+model.Title) }
	if c.From == "" {
		client := &http.Client{Timeout: downloadTimeout} // proxies: HTTPS_PROXY, NO_PROXY
		return model.Download(a.ctx, client, to, told)
	}
	file, err := os.Open(c.From)
	if err != nil {
		return "", err
	}
	defer file.Close()
	if err := model.Install(to, file, told); err != nil {
		return "", fmt.Errorf("%s: %w", c.From, err)
	}
	return c.From, nil
}

// pack converts the face weights of the npm package.
func (c *modelsInstallCmd) pack(a *app, to string) error {
	if c.From == "" {
		return usagef("name an optional model (see emolab models list), or give --from the model folder of the npm package")
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
	all, err := inventory()
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(m modelState) bool { return m.State == stateAbsent })
	if c.JSON {
		if err := printJSON(a.out, all); err != nil {
			return err
		}
	} else {
		for _, m := range all {
			verdict := "ok"
			if m.Problem != "" {
				verdict = "BAD"
			}
			fmt.Fprintf(a.out, "  %-3s %-20s %8d bytes  sha256 %s  %s\n", verdict, m.Name, m.Bytes, m.SHA256, m.State)
		}
	}
	var problems []error
	for _, m := range all {
		if m.Problem != "" {
			problems = append(problems, errors.New(m.Problem))
		}
	}
	return errors.Join(problems...)
}

// Where a model is.
const (
	stateEmbedded  = "embedded"
	stateInstalled = "installed"
	stateAbsent    = "not installed"
	stateMissing   = "missing"
	stateDamaged   = "damaged"
)

// modelState is one model and where it is. Every model that is listed can be
// used by this program.
type modelState struct {
	Name    string `json:"name"`
	Job     string `json:"job"`
	Licence string `json:"licence"`
	Bytes   int    `json:"bytes"`
	SHA256  string `json:"sha256"`
	From    string `json:"from"` // the official address or package
	State   string `json:"state"`
	Path    string `json:"path,omitempty"`    // of the file, where it is one of its own
	Problem string `json:"problem,omitempty"` // what is wrong with it, and what to do
}

// inventory lists the nets of the pack and the optional models, checked.
func inventory() ([]modelState, error) {
	dir, err := installedModels()
	if err != nil {
		return nil, err
	}
	var all []modelState
	if fsys, _, err := models(); err != nil {
		all = append(all, modelState{Name: "face models", Job: "all", From: modelpack.SourceName + " " + modelpack.SourceVersion, State: stateMissing, Problem: err.Error()})
	} else {
		pack, err := modelpack.Verify(fsys)
		if err != nil {
			return nil, err
		}
		_, missing := modelpack.Verify(face.EmbeddedModels())
		for _, n := range pack.Nets {
			m := modelState{Name: n.Name, Job: n.Job(), Licence: pack.Licence, Bytes: n.Bytes, SHA256: n.SHA256,
				From: pack.Name + " " + pack.Version, State: stateEmbedded}
			if missing != nil {
				m.State, m.Path = stateInstalled, filepath.Join(dir, n.File)
			}
			all = append(all, m)
		}
	}
	for _, o := range modelpack.Catalogue() {
		m := modelState{Name: o.Name, Job: o.Job, Licence: o.Licence, Bytes: o.Bytes, SHA256: o.SHA256, From: o.Addresses[0],
			State: stateInstalled, Path: filepath.Join(dir, o.File)}
		switch _, err := o.Read(os.DirFS(dir)); {
		case errors.Is(err, modelpack.ErrNotInstalled):
			m.State, m.Path = stateAbsent, ""
		case err != nil:
			m.State, m.Problem = stateDamaged, fmt.Sprintf("%s: %v", m.Path, err)
		}
		all = append(all, m)
	}
	return all, nil
}

// faceOptions are those of an analyzer with the models of this user and the
// detector of that name, "" for the usual one.
func faceOptions(detector string) (face.Options, error) {
	fsys, _, err := models()
	if err != nil {
		return face.Options{}, err
	}
	dir, err := installedModels()
	if err != nil {
		return face.Options{}, err
	}
	return face.Options{Models: fsys, Detector: detector, Optional: os.DirFS(dir)}, nil
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
