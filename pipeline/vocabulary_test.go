package pipeline_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/internal/lexicon"
	"vesper/pipeline"
)

// addAndRemove adds a word to the practice's list and takes it out again.
func addAndRemove(w *world, a access.Actor, _ uuid.UUID) error {
	ctx := context.Background()
	v, err := w.svc.AddTerm(ctx, a, pipeline.VocabularyTerm{Text: "bluebell sign", Kind: lexicon.Exam})
	if err != nil {
		return err
	}
	return w.svc.RemoveTerm(ctx, a, v.ID)
}

func texts(terms []pipeline.VocabularyTerm) string {
	var out []string
	for _, v := range terms {
		out = append(out, v.Text)
	}
	return strings.Join(out, "|")
}

func TestAuthorsHaveWordsOfTheirOwnAndShareThePractices(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	me, other := w.people["physician"].ID, w.people["other"].ID
	add := func(who string, author *uuid.UUID, text string) (pipeline.VocabularyTerm, error) {
		return w.svc.AddTerm(ctx, w.as(who), pipeline.VocabularyTerm{AuthorID: author, Text: text, Kind: lexicon.Brand, Says: []string{" zan  ter pell ", ""}})
	}
	own, err := add("physician", &me, "  Zanterpel \t XR ")
	w.must(err)
	if own.Text != "Zanterpel XR" || len(own.Says) != 1 || own.Says[0] != "zan ter pell" || own.AddedByName != "Ana Rivera" {
		t.Errorf("added: %+v", own)
	}
	shared, err := add("supervisor", nil, "Larkspurine")
	w.must(err)
	for who, author := range map[string]*uuid.UUID{"physician": nil, "other": &me, "editor": nil, "compliance": nil, "supervisor": &me, "admin": &other} {
		_, err := add(who, author, "Zanterpel")
		wantFault(t, err, fault.Forbidden, "forbidden")
	}
	_, err = add("physician", &me, "ZANTERPEL xr")
	wantFault(t, err, fault.Conflict, "term_exists")
	for author, want := range map[uuid.UUID]string{me: "Zanterpel XR|Larkspurine", other: "Larkspurine"} {
		who := map[uuid.UUID]string{me: "physician", other: "other"}[author]
		got, err := w.svc.Terms(ctx, w.as(who), &author)
		w.must(err)
		if texts(got) != want {
			t.Errorf("%s has %s, want %s", who, texts(got), want)
		}
	}
	wantFault(t, w.svc.RemoveTerm(ctx, w.as("other"), own.ID), fault.Forbidden, "forbidden")
	wantFault(t, w.svc.RemoveTerm(ctx, w.as("physician"), shared.ID), fault.Forbidden, "forbidden")
	w.must(w.svc.RemoveTerm(ctx, w.as("admin"), shared.ID))
	w.must(w.svc.RemoveTerm(ctx, w.as("physician"), own.ID))
	wantFault(t, w.svc.RemoveTerm(ctx, w.as("physician"), own.ID), fault.NotFound, "not_found")
	if e := w.events(own.ID); len(e) != 2 || e[0].Detail["change"] != "added" || e[1].Detail["change"] != "removed" || strings.Contains(e[0].Detail["kind"]+e[0].Subject, "Zanter") {
		t.Errorf("the record of a word: %+v", e)
	}
}

func TestWhatCannotBeATermIsRefused(t *testing.T) {
	t.Parallel()
	w := setup(t)
	author := w.people["physician"].ID
	for code, v := range map[string]pipeline.VocabularyTerm{
		"term_text":            {Text: "…"},
		"term_everyday":        {Text: "Down"},
		"term_kind":            {Text: "Zanterpel", Kind: "potion"},
		"term_says":            {Text: "Zanterpel", Says: strings.Fields("a b c d e f")},
		"author_not_physician": {Text: "Zanterpel", AuthorID: &author},
	} {
		actor := w.as("physician")
		if v.AuthorID == nil {
			v.AuthorID = &author
		} else {
			editor := w.people["editor"].ID
			v.AuthorID, actor = &editor, access.SystemActor(w.practice)
		}
		_, err := w.svc.AddTerm(context.Background(), actor, v)
		wantFault(t, err, fault.Invalid, code)
	}
	for _, text := range []string{strings.Repeat("a", 121), "", "\xff", "a\x00b"} {
		_, err := w.svc.AddTerm(context.Background(), w.as("physician"), pipeline.VocabularyTerm{AuthorID: &author, Text: text})
		wantFault(t, err, fault.Invalid, "term_text")
	}
}
