package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const ownTemplate = `key: tele_triage
name: Triage Call
loinc: {code: 34748-4, display: Telephone encounter Note}
turn_around: {routine: 4h, stat: 30m}
sections:
  - key: call
    heading: Call
    layout: prose
    synonyms: [call]
  - use: plan
    required: true
`

func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTemplatesAreListedCheckedAndPreviewed(t *testing.T) {
	t.Parallel()
	run(t, nil, "templates", "list").want(t, 0, "progress", "11506-3", "well_child", "Vesper")
	run(t, nil, "templates", "check").want(t, 0, "no problems")
	run(t, nil, "templates", "preview", "SOAP").want(t, 0, "SUBJECTIVE  (required)", "said as")
	run(t, nil, "templates", "schema").want(t, 0, "default_section")
	run(t, nil, "templates", "preview", "sonnet").want(t, 1)
	dir := writeFiles(t, map[string]string{"said.txt": "subjective colon she feels well period plan colon rest period"})
	said := filepath.Join(dir, "said.txt")
	run(t, nil, "templates", "preview", "progress", "--transcript", said).want(t, 0, "SUBJECTIVE\nShe feels well.", "nothing was dictated")
	run(t, nil, "templates", "preview", "progress", "--transcript", said, "--html").want(t, 0, "<h2>Subjective</h2>", "She feels well.")
}

func TestABrokenTemplateIsNamedWithItsLineAndTheOthersWork(t *testing.T) {
	t.Parallel()
	dir := writeFiles(t, map[string]string{
		"good.yaml": ownTemplate,
		"bad.yaml":  strings.NewReplacer("layout: prose", "layout: poem", "tele_triage", "other").Replace(ownTemplate),
	})
	run(t, nil, "templates", "check", dir).want(t, 1, filepath.Join(dir, "bad.yaml")+":8: ", "ok: Triage Call", "1 problem in 2 files")
	run(t, nil, "templates", "check", filepath.Join(dir, "good.yaml")).want(t, 0, "a new kind of document")
	r := run(t, nil, "--templates-dir", dir, "templates", "list")
	r.want(t, 0, "tele_triage", "practice", "progress")
	if !strings.Contains(r.errOut, "bad.yaml") {
		t.Errorf("nothing says that a file was left out: %s", r.errOut)
	}
	run(t, []string{"VESPER_TEMPLATES_DIR=" + dir}, "templates", "preview", "Triage Call").want(t, 0, "CALL")
	config := filepath.Join(dir, "vesper.conf")
	if err := os.WriteFile(config, []byte("templates_dir: "+dir+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, nil, "--config", config, "templates", "list").want(t, 0, "tele_triage")
	run(t, nil, "--templates-dir", filepath.Join(dir, "none"), "templates", "list").want(t, 1)
}
