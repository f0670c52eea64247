// Command convert turns the weights of the pinned npm package into the ONNX
// nets that the emolab binary embeds. `make models` calls it.
package main

import (
	"flag"
	"fmt"
	"os"

	"emolab/capture/face/modelpack"
)

func main() {
	from := flag.String("from", "capture/face/modelpack/node_modules/@vladmandic/face-api/model", "folder with the package's weights")
	to := flag.String("to", "capture/face/models", "folder to write the ONNX nets and pack.json into")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "convert: unexpected argument %q\n", flag.Arg(0))
		flag.Usage()
		os.Exit(2)
	}
	pack, err := modelpack.Convert(*from, *to)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, n := range pack.Nets {
		fmt.Printf("%s  %7d bytes  %s\n", n.SHA256, n.Bytes, n.File)
	}
}
