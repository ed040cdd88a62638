package pipeline_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"vesper/internal/lexicon"
	"vesper/notes"
	"vesper/pipeline"
	"vesper/transcribe"
)

// recite makes the engine recite a text in place of its first words.
func (w *world) recite(text string) {
	w.Helper()
	w.engine.edit(func(t *transcribe.Transcript) {
		t.Words = slices.Clone(t.Words)
		for i, word := range strings.Fields(text) {
			t.Words[i].Text, t.Words[i].Confidence = word, 0.97
		}
	})
}

func (w *world) flagsOf(change ...func(*pipeline.Submission)) (kinds []string) {
	w.Helper()
	d := w.detail(w.drafted(change...))
	for _, f := range d.Version.Document.Flags {
		kinds = append(kinds, f.Kind)
	}
	return kinds
}

func TestADraftIsHeldAgainstThePatientToWhomItIsBound(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.worker.Chart = &chart{answer: says(lexicon.Term{Text: "bupropion", Kind: lexicon.Generic, Weight: 1})}
	w.recite("Subjective: Mr. Barrow is a 25-year-old man. Plan: Take buspirone daily.")
	kinds := w.flagsOf()
	for _, want := range []string{notes.FlagIdentity, notes.FlagSex, notes.FlagAge, notes.FlagSoundAlike} {
		if !slices.Contains(kinds, want) {
			t.Errorf("no flag %s among %v", want, kinds)
		}
	}
}

func TestADrugThatTheAuthorAddedIsNotTakenForOneOfTheChart(t *testing.T) {
	t.Parallel()
	w := setup(t)
	me := w.people["physician"].ID
	_, err := w.svc.AddTerm(context.Background(), w.as("physician"), pipeline.VocabularyTerm{AuthorID: &me, Text: "bupropion", Kind: lexicon.Generic})
	w.must(err)
	w.recite("Plan: Take buspirone daily.")
	if kinds := w.flagsOf(); slices.Contains(kinds, notes.FlagSoundAlike) {
		t.Errorf("flags %v", kinds)
	}
}
