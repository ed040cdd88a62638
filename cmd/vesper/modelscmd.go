package main

import (
	"fmt"
	"text/tabwriter"

	"vesper/internal/fault"
	"vesper/models"
)

// modelsCmd works on the catalogue of Whisper models.
type modelsCmd struct {
	List   modelsListCmd   `cmd:"" help:"List the catalogue and what is here."`
	Fetch  modelsFetchCmd  `cmd:"" help:"Fetch a model and verify it."`
	Verify modelsVerifyCmd `cmd:"" help:"Verify every byte of the models that are here."`
}

type modelsListCmd struct{ engineFlags }

// Run prints the catalogue.
func (c *modelsListCmd) Run(rt *runtime) error {
	w := tabwriter.NewWriter(rt.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tSIZE\tMEMORY\tLANGUAGES\tLICENCE\tHERE")
	for _, s := range c.modelStore(rt).List() {
		here := ""
		switch {
		case s.Checked:
			here = "verified"
		case s.Present:
			here = "not verified"
		}
		fmt.Fprintf(w, "%s\t%d MB\t%d MB\t%d\t%s\t%s\n", s.Name, s.Size>>20, s.MemoryMiB, s.Languages, s.License, here)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(rt.out, "\nThis machine's default is %s.\n", models.Default(models.Detect()))
	return nil
}

type modelsFetchCmd struct {
	engineFlags
	Name []string `arg:"" optional:"" help:"Models to fetch; none: the default and the voice detector."`
}

// Run fetches what is missing.
func (c *modelsFetchCmd) Run(rt *runtime) error {
	store := c.modelStore(rt)
	names := c.Name
	if len(names) == 0 {
		names = []string{c.modelName(), models.SileroVAD}
	}
	for _, name := range names {
		f, err := store.Ensure(rt.ctx, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(rt.out, "%s  %s  %d bytes  sha256 %s\n", f.Name, f.Path, f.Size, f.SHA256)
	}
	return nil
}

type modelsVerifyCmd struct{ engineFlags }

// Run reads every model file in full.
func (c *modelsVerifyCmd) Run(rt *runtime) error {
	results, err := c.modelStore(rt).Verify(rt.ctx)
	if err != nil {
		return err
	}
	bad := 0
	for _, r := range results {
		if r.Err != nil {
			bad++
			fmt.Fprintf(rt.out, "bad   %s: %s\n", r.Name, fault.As(r.Err).Public)
			continue
		}
		fmt.Fprintf(rt.out, "good  %s  sha256 %s\n", r.Name, r.SHA256)
	}
	if bad > 0 {
		return fault.New(fault.Invalid, "model_corrupt", fmt.Sprintf("%d model files are damaged. Remove them and fetch them again.", bad))
	}
	if len(results) == 0 {
		fmt.Fprintln(rt.out, "No models are here. Run: vesper models fetch")
	}
	return nil
}
