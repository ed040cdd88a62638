package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"vesper/internal/fault"
	"vesper/notes"
	"vesper/pipeline"
)

func TestErrorRatesAreReadFromTheCommandLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	rt := &runtime{ctx: t.Context(), out: &out, log: slog.New(slog.DiscardHandler)}
	c := qualityCmd{databaseFlags: databaseFlags{practiceURL(t, "Foxglove")}, Data: t.TempDir(), Practice: "Foxglove", Since: "2026-01-01", By: "editor"}
	if err := c.Run(rt); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "per 100 words") {
		t.Errorf("printed %q", out.String())
	}
	out.Reset()
	c.JSON = true
	if err := c.Run(rt); err != nil || strings.TrimSpace(out.String()) != "[]" {
		t.Errorf("as JSON %q, %v", out.String(), err)
	}
	for change, code := range map[string]func(*qualityCmd){
		"date_invalid":     func(c *qualityCmd) { c.Since = "yesterday" },
		"practice_unknown": func(c *qualityCmd) { c.Practice = "Nightshade" },
		"practice_missing": func(c *qualityCmd) { c.Practice = "" },
	} {
		wrong := c
		code(&wrong)
		if err := wrong.Run(rt); err == nil || fault.As(err).Code != change {
			t.Errorf("%v, want %s", err, change)
		}
	}
}

func TestTheTableOfErrorRatesSaysWhatIsKnown(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := printQuality(&out, "author", []pipeline.QualityLine{{
		Name: "Ana Rivera", Notes: 2, Draft: pipeline.Measure{Notes: 2, Errors: notes.Errors{Words: 400, Critical: 2, Other: 6}, Score: 94},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"Ana Rivera", "400", "2.00", "94.0", "–"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%q is missing in\n%s", part, out.String())
		}
	}
}
