package main

import (
	"fmt"

	"emolab/studies/bundle"
)

type bundleCmd struct {
	Verify bundleVerifyCmd `cmd:"" help:"Check that no byte of a bundle has changed since it was sealed."`
}

type bundleVerifyCmd struct {
	Bundle []string `arg:"" help:"The bundles." type:"existingfile" placeholder:"FILE"`
	JSON   bool     `help:"Print JSON."`
}

// Help shows an example below the flags.
func (bundleVerifyCmd) Help() string {
	return "Example:\n  emolab bundle verify emolab-demo/bundles/*.zip\n\nExit code 1 when one of them is damaged."
}

// Run is the command.
func (c *bundleVerifyCmd) Run(a *app) error {
	damaged := 0
	reports := []bundle.Report{}
	for _, path := range c.Bundle {
		report, err := bundle.Verify(path)
		if err != nil {
			damaged++
			fmt.Fprintln(a.err, err) // which names it
			continue
		}
		reports = append(reports, report)
		if !c.JSON {
			fmt.Fprintf(a.out, "ok  %s  session %s, %d files, manifest %s\n", path, report.Session, report.Files, report.Manifest)
		}
	}
	if c.JSON {
		if err := printJSON(a.out, reports); err != nil {
			return err
		}
	}
	if damaged > 0 {
		return fmt.Errorf("%d of %d bundles are damaged", damaged, len(c.Bundle))
	}
	return nil
}
