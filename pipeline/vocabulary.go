package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/audit"
	"vesper/internal/fault"
	"vesper/internal/lexicon"
)

// VocabularyTerm is a word that a practice or one of its authors added. Rows are history: removing a term sets RemovedAt.
type VocabularyTerm struct {
	ID          uuid.UUID
	PracticeID  uuid.UUID
	AuthorID    *uuid.UUID // nil: of the whole practice
	Text        string     // as it is written in a note
	Says        []string   // spoken forms that differ from the spelling
	Kind        lexicon.Kind
	AddedBy     *uuid.UUID // nil: the operator, from the command line
	AddedByName string
	AddedAt     time.Time
	RemovedAt   *time.Time
}

// VocabularyTx is the aggregate of added words, and of the terms that were frozen for a job.
type VocabularyTx interface {
	// InsertTerm adds a term; Conflict ("term_exists") when the list has it already. ID is set when zero.
	InsertTerm(ctx context.Context, v VocabularyTerm) error
	// Term returns one term, removed or not, or NotFound.
	Term(ctx context.Context, id uuid.UUID) (VocabularyTerm, error)
	// RemoveTerm marks a term as removed; NotFound when it is not there or removed already. by nil is the operator.
	RemoveTerm(ctx context.Context, id uuid.UUID, by *uuid.UUID) error
	// VocabularyTerms lists the live terms of an author (nil: of the practice), newest first.
	VocabularyTerms(ctx context.Context, author *uuid.UUID) ([]VocabularyTerm, error)
	// FreezeTerms keeps what a running job expects to hear, under its fencing token, else Conflict ("job_fenced"). What was
	// frozen before stays.
	FreezeTerms(ctx context.Context, job, token uuid.UUID, terms []lexicon.Term) error
	// FrozenTerms returns what was frozen for a job, and whether anything was, be it an empty list.
	FrozenTerms(ctx context.Context, job uuid.UUID) ([]lexicon.Term, bool, error)
}

// Bounds of an added term and of a list of them.
const (
	longestTerm   = 120 // bytes
	mostSays      = 5
	mostInList    = 500
	everydayWords = 0.35 // commonness from which a word counts as everyday English
)

// AddTerm adds a word to an author's list, or to the practice's when AuthorID is nil. Text, kind and spoken forms are what
// the caller gives; the rest is set here.
func (s *Service) AddTerm(ctx context.Context, actor access.Actor, v VocabularyTerm) (VocabularyTerm, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return v, fmt.Errorf("make id: %w", err)
	}
	v.ID, v.PracticeID, v.AddedBy, v.RemovedAt = id, actor.PracticeID, orNil(actor.ID), nil
	err = s.inTx(ctx, actor, access.ManageTerms, deref(v.AuthorID), func(ctx context.Context, tx Tx) error {
		if err := mayTerms(actor, access.ManageTerms, v.AuthorID); err != nil {
			return err
		}
		if err := tidyTerm(&v); err != nil {
			return err
		}
		if err := mustBePhysician(ctx, tx, v.AuthorID); err != nil {
			return err
		}
		have, err := tx.VocabularyTerms(ctx, v.AuthorID)
		if err != nil {
			return err
		}
		if len(have) >= mostInList {
			return fault.New(fault.Invalid, "terms_too_many", fmt.Sprintf("A list holds at most %d words. Remove some first.", mostInList))
		}
		if err := tx.InsertTerm(ctx, v); err != nil {
			return err
		}
		if err := tx.Audit(ctx, termEvent(actor, v, "added")); err != nil {
			return err
		}
		v, err = tx.Term(ctx, v.ID)
		return err
	})
	return v, err
}

// RemoveTerm takes a word out of its list. Dictations that were frozen with it keep it.
func (s *Service) RemoveTerm(ctx context.Context, actor access.Actor, id uuid.UUID) error {
	return s.inTx(ctx, actor, access.ManageTerms, uuid.Nil, func(ctx context.Context, tx Tx) error {
		if err := mayTerms(actor, access.ManageTerms, ListOf(actor)); err != nil { // before anything is looked up
			return err
		}
		v, err := tx.Term(ctx, id)
		if err != nil {
			return err
		}
		if err := mayTerms(actor, access.ManageTerms, v.AuthorID); err != nil {
			return err
		}
		if err := tx.RemoveTerm(ctx, id, orNil(actor.ID)); err != nil {
			return err
		}
		return tx.Audit(ctx, termEvent(actor, v, "removed"))
	})
}

// Terms lists what the recogniser expects of an author, the author's own words first, then the practice's, each newest
// first; without an author, the practice's only.
func (s *Service) Terms(ctx context.Context, actor access.Actor, author *uuid.UUID) ([]VocabularyTerm, error) {
	var out []VocabularyTerm
	err := s.inTx(ctx, actor, access.ReadTerms, deref(author), func(ctx context.Context, tx Tx) (err error) {
		if err := mayTerms(actor, access.ReadTerms, author); err != nil {
			return err
		}
		if out, err = tx.VocabularyTerms(ctx, nil); err != nil {
			return err
		}
		if author != nil {
			own, err := tx.VocabularyTerms(ctx, author)
			if err != nil {
				return err
			}
			out = append(own, out...)
		}
		subject, id := about(actor, access.ReadTerms, deref(author))
		return tx.Audit(ctx, event(actor, access.ReadTerms, subject, id, "done", map[string]string{"found": itoa(len(out))}))
	})
	return out, err
}

// ListOf is the list that a person keeps: physicians their own, everybody else the practice's (nil).
func ListOf(actor access.Actor) *uuid.UUID {
	if actor.Role != access.Physician {
		return nil
	}
	return &actor.ID
}

// mayTerms decides about a list: an author's own, or the practice's.
func mayTerms(actor access.Actor, action access.Action, author *uuid.UUID) error {
	return access.Decide(actor, action, access.Resource{PracticeID: actor.PracticeID, AuthorID: deref(author)})
}

func mustBePhysician(ctx context.Context, tx Tx, author *uuid.UUID) error {
	if author == nil {
		return nil
	}
	p, err := tx.Person(ctx, *author)
	if err != nil {
		return err
	}
	if p.Role != string(access.Physician) {
		return fault.New(fault.Invalid, "author_not_physician", "Only physicians have words of their own. Add it to the practice's words.")
	}
	return nil
}

// tidyTerm squeezes white space and refuses what cannot be a term, or would do harm as one.
func tidyTerm(v *VocabularyTerm) error {
	v.Text = strings.Join(strings.Fields(v.Text), " ")
	if v.Kind == "" {
		v.Kind = lexicon.Other
	}
	if !v.Kind.Known() {
		return fault.New(fault.Invalid, "term_kind", fmt.Sprintf("This is no kind of term. The kinds are %v.", lexicon.Kinds()))
	}
	var says []string
	for _, form := range v.Says {
		if form = strings.Join(strings.Fields(form), " "); form != "" && !slices.Contains(says, form) {
			says = append(says, form)
		}
	}
	v.Says = says
	if len(says) > mostSays {
		return fault.New(fault.Invalid, "term_says", fmt.Sprintf("A word has at most %d spoken forms.", mostSays))
	}
	for _, text := range append([]string{v.Text}, says...) {
		if !sayable(text) {
			return fault.New(fault.Invalid, "term_text", fmt.Sprintf("Give a word or name that can be spoken, of at most %d characters.", longestTerm))
		}
	}
	if lexicon.English(v.Text) >= everydayWords {
		return fault.New(fault.Invalid, "term_everyday", "This is an everyday word, which is recognised anyway; expecting it would do harm. Add names and terms only.")
	}
	return nil
}

// sayable says that a text can be a term: bounded, clean, and with a sound.
func sayable(text string) bool {
	return text != "" && len(text) <= longestTerm && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl) &&
		len(lexicon.Sounds(text)) > 0
}

// termEvent names whose list changed and how; the word itself may be a name and stays out of the record.
func termEvent(actor access.Actor, v VocabularyTerm, change string) audit.Event {
	detail := map[string]string{"change": change, "kind": string(v.Kind), "list": "practice"}
	if v.AuthorID != nil {
		detail["list"], detail["author"] = "author", v.AuthorID.String()
	}
	return event(actor, access.ManageTerms, "term", v.ID, "done", detail)
}

// orNil is nil for the zero id.
func orNil(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}
