package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
)

// LanguageTx is what is spoken in the recordings of a practice or an author.
type LanguageTx interface {
	// SetLanguage notes what an author (nil: everybody of the practice without an own choice) speaks; "" takes it back.
	SetLanguage(ctx context.Context, author *uuid.UUID, language string, by uuid.UUID) error
	// Language returns what was set last for an author (nil: for the practice), "" for nothing.
	Language(ctx context.Context, author *uuid.UUID) (string, error)
}

var languageCode = regexp.MustCompile(`^([a-z]{2,3}|auto)?$`)

// SetLanguage sets what is spoken from the next recording on: a physician their own, a supervisor or an admin the practice's.
// language is a code such as "es", "auto" to let the model find out, or "" to go back to what the practice or the
// installation has.
func (s *Service) SetLanguage(ctx context.Context, actor access.Actor, language string) error {
	if !languageCode.MatchString(language) {
		return fault.New(fault.Invalid, "language_unknown", "Give a language as a code such as en or es, or auto, or nothing.")
	}
	author := ListOf(actor)
	return s.inTx(ctx, actor, access.ManageTerms, deref(author), func(ctx context.Context, tx Tx) error {
		if err := mayTerms(actor, access.ManageTerms, author); err != nil {
			return err
		}
		if err := tx.SetLanguage(ctx, author, language, actor.ID); err != nil {
			return err
		}
		detail, about := map[string]string{"change": "language", "language": language, "list": "practice"}, actor.PracticeID
		if author != nil {
			detail["list"], about = "author", *author
		}
		return tx.Audit(ctx, event(actor, access.ManageTerms, "language", about, "done", detail))
	})
}

// Language is what the actor's list is set to, "" for nothing; see SetLanguage.
func (s *Service) Language(ctx context.Context, actor access.Actor) (language string, err error) {
	author := ListOf(actor)
	err = s.inTx(ctx, actor, access.ReadTerms, deref(author), func(ctx context.Context, tx Tx) error {
		if err := mayTerms(actor, access.ReadTerms, author); err != nil {
			return err
		}
		language, err = tx.Language(ctx, author)
		return err
	})
	return language, err
}

// spokenBy lays the author's language, or the practice's, over the settings of a transcription. What is shown to the model
// beforehand is in the language of the installation and goes with it.
func spokenBy(ctx context.Context, tx Tx, author uuid.UUID, settings []byte) ([]byte, error) {
	language, err := tx.Language(ctx, &author)
	if err == nil && language == "" {
		language, err = tx.Language(ctx, nil)
	}
	if err != nil || language == "" {
		return settings, err
	}
	var s map[string]json.RawMessage
	if err := json.Unmarshal(settings, &s); err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	want, err := json.Marshal(language)
	if err != nil || string(s["language"]) == string(want) {
		return settings, err
	}
	s["language"] = want
	delete(s, "prompt")
	out, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode settings: %w", err)
	}
	return out, nil
}
