package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWhatARunDidNotMeasureStaysOnThePage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "load.md")
	if err := os.WriteFile(path, []byte("# Under load\n\nHead.\n\n## First\n\nold\n\n## Second\n\nkept\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newReport(io.Discard)
	tab := tableOf("step", "n", "p50", "p95", "p99", "max")
	tab.spread("upload", []time.Duration{time.Millisecond, 2 * time.Second})
	r.section("First", "new", tab)
	r.section("Third", "too", tableOf("a"))
	r.plots["p.svg"] = plot("Title", "x", "y", curve{"c", [][2]float64{{0, 0}, {3, 70}}})
	if err := r.write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(got)
	for _, want := range []string{"Head.", "## First\n\nnew", "| upload | 2 | 1.0 ms | 2.0 s | 2.0 s | 2.0 s |", "## Second\n\nkept", "## Third\n\ntoo"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "old") || strings.Index(text, "## First") > strings.Index(text, "## Second") {
		t.Errorf("the page is\n%s", text)
	}
	if svg, err := os.ReadFile(filepath.Join(dir, "p.svg")); err != nil || !strings.Contains(string(svg), "polyline") {
		t.Errorf("%s %v", svg, err)
	}
}

func TestPercentilesAreByNearestRank(t *testing.T) {
	t.Parallel()
	var sample []time.Duration
	for i := 100; i > 0; i-- {
		sample = append(sample, time.Duration(i))
	}
	for percent, want := range map[int]time.Duration{1: 1, 50: 50, 95: 95, 99: 99, 100: 100} {
		if got := rank(sample, percent); got != want {
			t.Errorf("p%d is %d, want %d", percent, got, want)
		}
	}
	if rank(nil, 50) != 0 {
		t.Error("an empty sample has a median")
	}
}

func TestIDsAreThoseOfTheGeneratedRows(t *testing.T) {
	t.Parallel()
	if got := dictationID(0xabcdef0123); got != "000200ab-cdef-0123-8000-000000000000" {
		t.Error(got)
	}
}
