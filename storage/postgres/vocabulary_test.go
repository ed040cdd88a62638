package postgres_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/internal/lexicon"
	"vesper/pipeline"
)

func (w *world) addTerm(v pipeline.VocabularyTerm) error {
	return w.try(func(ctx context.Context, tx pipeline.Tx) error { return tx.InsertTerm(ctx, v) })
}

func (w *world) terms(author *uuid.UUID) (out []pipeline.VocabularyTerm) {
	w.Helper()
	w.in(func(ctx context.Context, tx pipeline.Tx) (err error) {
		out, err = tx.VocabularyTerms(ctx, author)
		return err
	})
	return out
}

func TestATermStandsOnceInAListAndComesBackAsItWasAdded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	author := w.physician.ID
	own := pipeline.VocabularyTerm{ID: id(), AuthorID: &author, Text: "Zanterpel", Says: []string{"zan ter pell"}, Kind: lexicon.Brand, AddedBy: &author}
	w.must(w.addTerm(own))
	wantFault(t, w.addTerm(pipeline.VocabularyTerm{AuthorID: &author, Text: "zanterpel", Kind: lexicon.Brand}), fault.Conflict, "term_exists")
	shared := pipeline.VocabularyTerm{Text: "Zanterpel", Kind: lexicon.Brand}
	w.must(w.addTerm(shared)) // another list
	wantFault(t, w.addTerm(shared), fault.Conflict, "term_exists")
	got := w.terms(&author)
	if len(got) != 1 || got[0].Text != own.Text || got[0].Kind != own.Kind || !reflect.DeepEqual(got[0].Says, own.Says) || got[0].AddedByName != w.physician.Name || got[0].AddedAt.IsZero() {
		t.Errorf("author's list: %+v", got)
	}
	if got := w.terms(nil); len(got) != 1 || got[0].AuthorID != nil || got[0].AddedBy != nil {
		t.Errorf("practice's list: %+v", got)
	}
}

func TestARemovedTermStaysInTheTableAndMayBeAddedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := pipeline.VocabularyTerm{ID: id(), Text: "Bluebell sign", Kind: lexicon.Exam}
	w.must(w.addTerm(v))
	remove := func() error {
		return w.try(func(ctx context.Context, tx pipeline.Tx) error { return tx.RemoveTerm(ctx, v.ID, &w.physician.ID) })
	}
	w.must(remove())
	wantFault(t, remove(), fault.NotFound, "not_found")
	if got := w.terms(nil); len(got) != 0 {
		t.Errorf("still listed: %+v", got)
	}
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		old, err := tx.Term(ctx, v.ID)
		if old.RemovedAt == nil || old.Text != v.Text {
			t.Errorf("the removed term: %+v", old)
		}
		return err
	})
	v.ID = id()
	w.must(w.addTerm(v))
	for sql, state := range map[string]string{
		"UPDATE vocabulary_terms SET text = 'x'": "42501", "DELETE FROM vocabulary_terms": "42501", "TRUNCATE vocabulary_terms": "42501",
		"UPDATE vocabulary_terms SET removed_at = NULL WHERE removed_at IS NOT NULL": "VS002",
	} {
		_, err := w.raw(w.logins.Serve, w.practice, sql)
		wantState(t, err, state)
	}
	for sql, state := range map[string]string{"DELETE FROM vocabulary_terms": "VS001", "UPDATE vocabulary_terms SET text = 'x' WHERE removed_at IS NULL": "VS002"} {
		_, err := w.raw(w.admin, uuid.Nil, sql)
		wantState(t, err, state)
	}
}

func TestTermsOfAJobAreFrozenOnceAndOnlyUnderItsToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, jobID := w.receive()
	first, later := []lexicon.Term{{Text: "metformin", Kind: lexicon.Generic, Weight: 0.1}}, []lexicon.Term{{Text: "warfarin", Kind: lexicon.Generic}}
	freeze := func(token uuid.UUID, terms []lexicon.Term) error {
		return w.work.InTx(ctxb(), w.practice, func(ctx context.Context, tx pipeline.Tx) error { return tx.FreezeTerms(ctx, jobID, token, terms) })
	}
	frozen := func() (terms []lexicon.Term, is bool) {
		w.must(w.work.InTx(ctxb(), w.practice, func(ctx context.Context, tx pipeline.Tx) (err error) {
			terms, is, err = tx.FrozenTerms(ctx, jobID)
			return err
		}))
		return terms, is
	}
	wantFault(t, freeze(id(), first), fault.Conflict, "job_fenced")
	if _, is := frozen(); is {
		t.Fatal("frozen without a token")
	}
	job := w.claim(jobID)
	wantFault(t, freeze(id(), first), fault.Conflict, "job_fenced")
	w.must(freeze(job.LeaseToken, first))
	w.must(freeze(job.LeaseToken, later))
	if got, is := frozen(); !is || !reflect.DeepEqual(got, first) {
		t.Errorf("frozen %v: %+v", is, got)
	}
	other := w.newPractice("Harbor Clinic")
	for practice, want := range map[uuid.UUID]int64{w.practice: 1, other: 0, uuid.Nil: 0} {
		if n, err := w.raw(w.logins.Work, practice, "SELECT * FROM job_terms"); err != nil || n != want {
			t.Errorf("a worker in %s sees %d rows, %v", practice, n, err)
		}
	}
	_, err := w.raw(w.logins.Serve, w.practice, "SELECT * FROM job_terms")
	wantState(t, err, "42501")
}

func TestAnEmptyListIsFrozenTooAndStaysEmpty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, jobID := w.receive()
	job := w.claim(jobID)
	w.must(w.work.InTx(ctxb(), w.practice, func(ctx context.Context, tx pipeline.Tx) error {
		if err := tx.FreezeTerms(ctx, job.ID, job.LeaseToken, nil); err != nil {
			return err
		}
		if terms, is, err := tx.FrozenTerms(ctx, job.ID); err != nil || !is || len(terms) != 0 {
			t.Errorf("frozen %v: %+v, %v", is, terms, err)
		}
		return nil
	}))
}
