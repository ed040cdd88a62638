package pipeline_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/notes"
	"vesper/notes/render"
	"vesper/pipeline"
)

// corrected brings a dictation before the physician in whose plan the editor put one text for another, and signs it after
// the physician did the same.
func (w *world) corrected(editor, physician *strings.Replacer) uuid.UUID {
	w.Helper()
	ctx := context.Background()
	id := w.reviewed()
	save := func(who string, change *strings.Replacer) {
		w.Helper()
		d := w.detail(id)
		plan, _ := d.Version.Document.Section("plan")
		_, err := w.svc.Save(ctx, w.as(who), id, d.Version.Number, []notes.SectionText{{Key: "plan", Text: change.Replace(plan.Text())}})
		w.must(err)
	}
	save("editor", editor)
	w.must(w.svc.Send(ctx, w.as("editor"), id, w.settleAll(w.as("editor"), id)))
	save("physician", physician)
	w.settleAll(w.as("physician"), id)
	w.sign(id)
	return id
}

func TestErrorRatesComeFromTheThreeLayersOfSignedNotes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	w.recite("Plan: Take lisinopril 20 mg daily. Return in 4 weeks.")
	id := w.corrected(strings.NewReplacer("20 mg", "40 mg"), strings.NewReplacer("4 weeks", "6 weeks", "Take", "Please take"))
	h, err := w.svc.History(ctx, w.as("compliance"), id)
	w.must(err)
	if len(h.Layers) != 2 || h.Layers[0].ByName != w.people["editor"].Name || h.Layers[1].ByName != w.people["physician"].Name || h.Layers[0].From != 1 ||
		h.Layers[0].To != h.Layers[1].From || h.Layers[0].Errors.Critical != 1 || h.Layers[1].Errors.Critical != 1 {
		t.Errorf("the layers of the history: %+v", h.Layers)
	}
	w.recite("Plan: Take lisinopril 20 mg daily. Return in 4 weeks.")
	w.signed() // nobody changed a word
	for by, name := range map[string]string{
		"": "all", "author": w.people["physician"].Name, "work_type": "progress", "editor": w.people["editor"].Name,
	} {
		lines, err := w.svc.Quality(ctx, w.as("supervisor"), pipeline.QualityFilter{By: by})
		w.must(err)
		var line *pipeline.QualityLine
		for i := range lines {
			if lines[i].Name == name {
				line = &lines[i]
			}
		}
		if line == nil {
			t.Fatalf("by %q there is no line %q in %+v", by, name, lines)
		}
		// 20 → 40 and 4 → 6 are critical, "please" is not; the editor had left the last two.
		if line.Draft.Errors.Critical != 2 || line.Draft.Errors.Other != 1 || line.Sent.Errors.Critical != 1 || line.Sent.Errors.Other != 1 {
			t.Errorf("by %q: %+v", by, *line)
		}
		if by == "author" && (line.Notes != 2 || line.Draft.Score != (93+100)/2.0) {
			t.Errorf("by author: %+v", *line)
		}
		if line.Draft.Errors.Words == 0 || line.Draft.PerHundred(line.Draft.Errors.Critical) <= 0 {
			t.Errorf("by %q no words are counted: %+v", by, *line)
		}
	}
	models, err := w.svc.Quality(ctx, w.as("supervisor"), pipeline.QualityFilter{By: "model"})
	w.must(err)
	if len(models) != 1 || models[0].Notes != 2 || models[0].Name == "" {
		t.Errorf("by model: %+v", models)
	}
	later, err := w.svc.Quality(ctx, access.SystemActor(w.practice), pipeline.QualityFilter{Since: time.Now().Add(time.Hour)})
	w.must(err)
	if len(later) != 0 {
		t.Errorf("notes of tomorrow: %+v", later)
	}
	for _, who := range []string{"physician", "editor", "compliance", "admin"} {
		if _, err := w.svc.Quality(ctx, w.as(who), pipeline.QualityFilter{}); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s reads error rates: %v", who, err)
		}
	}
	if _, err := w.svc.Quality(ctx, w.as("supervisor"), pipeline.QualityFilter{By: "patient"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("by patient: %v", err)
	}
}

func TestADownloadIsAnEventAndOnlyTheSignedVersionIsNoDraft(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	w.recite("Plan: Take lisinopril 20 mg daily.")
	id := w.corrected(strings.NewReplacer("20 mg", "40 mg"), strings.NewReplacer("Take", "In the evening take"))
	newest, err := w.svc.Rendering(ctx, w.as("physician"), id, 0, render.Text)
	w.must(err)
	text := string(newest.Bytes)
	for _, part := range []string{"In the evening", "Electronically signed by", pipeline.Meaning, canary, "Content SHA-256"} {
		if !strings.Contains(text, part) {
			t.Errorf("the signed version does not say %q", part)
		}
	}
	if strings.Contains(text, render.Draft) || newest.SHA256 != pipeline.SHA256(newest.Bytes) || strings.Contains(newest.Name, canary) {
		t.Errorf("the file %s: %s", newest.Name, text)
	}
	first, err := w.svc.Rendering(ctx, w.as("compliance"), id, 1, render.PDF)
	w.must(err)
	if !bytes.HasPrefix(first.Bytes, []byte("%PDF-")) || first.Version != 1 {
		t.Errorf("version 1 is %q", first.Bytes[:20])
	}
	draft, err := w.svc.Rendering(ctx, w.as("supervisor"), id, 1, render.Text)
	w.must(err)
	if !strings.Contains(string(draft.Bytes), render.Draft) || strings.Contains(string(draft.Bytes), "Electronically signed") {
		t.Errorf("the first version of a signed note is not marked: %s", draft.Bytes)
	}
	downloads := 0
	for _, e := range w.events(id) {
		if e.Action == string(access.Download) && e.Outcome == "done" {
			downloads++
			if e.Detail["format"] == "" || e.Detail["file_sha256"] == "" || e.Detail["version"] == "" {
				t.Errorf("the event says %v", e.Detail)
			}
		}
	}
	if downloads != 3 {
		t.Errorf("%d events for three downloads", downloads)
	}
	if _, err := w.svc.Rendering(ctx, w.as("supervisor"), id, 99, render.Text); fault.KindOf(err) != fault.NotFound {
		t.Errorf("version 99: %v", err)
	}
	if _, err := w.svc.Rendering(ctx, w.as("supervisor"), id, 0, "docx"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("docx: %v", err)
	}
	if _, err := w.svc.Rendering(ctx, w.as("editor"), id, 0, render.Text); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("an editor takes a signed note away: %v", err)
	}
}

func TestPromisesOfADictationAreDatedFromTheDayItCame(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.recite("Plan: Return in 4 weeks.")
	d := w.detail(w.drafted())
	want := d.ReceivedAt.Local().AddDate(0, 0, 28).Format(time.DateOnly)
	for _, f := range d.Version.Document.FollowUps {
		if f.Kind == "appointment" && f.Due == want && f.End > f.Start {
			return
		}
	}
	t.Errorf("no visit on %s in %+v", want, d.Version.Document.FollowUps)
}
