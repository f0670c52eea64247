package face

import (
	"embed"
	"io/fs"
)

// embedded is the model pack that lay in the folder models when the binary was
// built; the folder's README alone where none did.
//
//go:embed all:models
var embedded embed.FS

// EmbeddedModels returns the embedded model pack, for modelpack.Verify. It may
// be empty but for a README.
func EmbeddedModels() fs.FS {
	models, err := fs.Sub(embedded, "models")
	if err != nil {
		panic(err) // the folder is named in the directive above
	}
	return models
}
