package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/notes"
)

// TextBlock is a text that a physician has written and approved, to be inserted by name while dictating. Rows are history:
// removing one sets RemovedAt, and a changed text is a new row, so that a note can name the row its words come from.
type TextBlock struct {
	ID         uuid.UUID
	PracticeID uuid.UUID
	AuthorID   uuid.UUID
	Name       string   // as it is said: "heart exam"
	Also       []string // other names
	Text       string
	AddedAt    time.Time // when the author approved it
	RemovedAt  *time.Time
}

// TextBlockTx is the aggregate of authors' text blocks.
type TextBlockTx interface {
	// InsertTextBlock adds a block; Conflict ("block_exists") when the author has one of this name. ID is set when zero.
	InsertTextBlock(ctx context.Context, b TextBlock) error
	// TextBlock returns one block, removed or not, or NotFound.
	TextBlock(ctx context.Context, id uuid.UUID) (TextBlock, error)
	// RemoveTextBlock retires a block; NotFound when it is not there or retired already.
	RemoveTextBlock(ctx context.Context, id uuid.UUID) error
	// TextBlocks lists the blocks that an author had at a time (zero: now), by name.
	TextBlocks(ctx context.Context, author uuid.UUID, at time.Time) ([]TextBlock, error)
}

// Bounds of a text block and of a list of them.
const (
	longestBlockName = 60   // bytes
	longestBlock     = 8000 // characters
	mostBlocks       = 200
)

// AddTextBlock adds a text to the actor's own list. Adding is approving: nobody can do it for somebody else.
func (s *Service) AddTextBlock(ctx context.Context, actor access.Actor, b TextBlock) (TextBlock, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return b, fmt.Errorf("make id: %w", err)
	}
	b.ID, b.PracticeID, b.AuthorID, b.RemovedAt = id, actor.PracticeID, actor.ID, nil
	err = s.inTx(ctx, actor, access.ManageTerms, actor.ID, func(ctx context.Context, tx Tx) error {
		if err := mayBlocks(actor, access.ManageTerms); err != nil {
			return err
		}
		if err := tidyBlock(&b); err != nil {
			return err
		}
		have, err := tx.TextBlocks(ctx, actor.ID, time.Time{})
		if err != nil {
			return err
		}
		if len(have) >= mostBlocks {
			return fault.New(fault.Invalid, "blocks_too_many", fmt.Sprintf("A list holds at most %d texts. Remove some first.", mostBlocks))
		}
		if err := tx.InsertTextBlock(ctx, b); err != nil {
			return err
		}
		if err := tx.Audit(ctx, event(actor, access.ManageTerms, "text_block", b.ID, "done", map[string]string{"change": "added"})); err != nil {
			return err
		}
		b, err = tx.TextBlock(ctx, b.ID)
		return err
	})
	return b, err
}

// RemoveTextBlock takes a text out of the actor's list. Notes that hold it keep it.
func (s *Service) RemoveTextBlock(ctx context.Context, actor access.Actor, id uuid.UUID) error {
	return s.inTx(ctx, actor, access.ManageTerms, actor.ID, func(ctx context.Context, tx Tx) error {
		if err := mayBlocks(actor, access.ManageTerms); err != nil {
			return err
		}
		b, err := tx.TextBlock(ctx, id)
		if err != nil {
			return err
		}
		if b.AuthorID != actor.ID {
			return fault.New(fault.NotFound, "not_found", "This text is not in your list. Load the page again.")
		}
		if err := tx.RemoveTextBlock(ctx, id); err != nil {
			return err
		}
		return tx.Audit(ctx, event(actor, access.ManageTerms, "text_block", id, "done", map[string]string{"change": "removed"}))
	})
}

// TextBlocks lists the actor's own texts by name.
func (s *Service) TextBlocks(ctx context.Context, actor access.Actor) ([]TextBlock, error) {
	var out []TextBlock
	err := s.inTx(ctx, actor, access.ReadTerms, actor.ID, func(ctx context.Context, tx Tx) (err error) {
		if err := mayBlocks(actor, access.ReadTerms); err != nil {
			return err
		}
		if out, err = tx.TextBlocks(ctx, actor.ID, time.Time{}); err != nil {
			return err
		}
		return tx.Audit(ctx, event(actor, access.ReadTerms, "text_block", actor.ID, "done", map[string]string{"found": itoa(len(out))}))
	})
	return out, err
}

// mayBlocks decides about the actor's own list; only physicians have one.
func mayBlocks(actor access.Actor, action access.Action) error {
	return mayTerms(actor, action, &actor.ID)
}

// tidyBlock squeezes names, normalises the text and refuses what could not be asked for or read.
func tidyBlock(b *TextBlock) error {
	b.Name = strings.Join(strings.Fields(b.Name), " ")
	var also []string
	for _, name := range b.Also {
		if name = strings.Join(strings.Fields(name), " "); name != "" && !slices.Contains(also, name) && !strings.EqualFold(name, b.Name) {
			also = append(also, name)
		}
	}
	b.Also = also
	if len(also) > mostSays {
		return fault.New(fault.Invalid, "block_names", fmt.Sprintf("A text has at most %d other names.", mostSays))
	}
	for _, name := range append([]string{b.Name}, also...) {
		if len(name) < 2 || len(name) > longestBlockName || !sayable(name) {
			return fault.New(fault.Invalid, "block_name", fmt.Sprintf("Give a name that can be spoken, of at most %d characters: “heart exam”.", longestBlockName))
		}
	}
	b.Text = strings.TrimSpace(notes.NormalizeText(b.Text))
	if n := utf8.RuneCountInString(b.Text); n == 0 || n > longestBlock {
		return fault.New(fault.Invalid, "block_text", fmt.Sprintf("Give the text to insert, of at most %d characters.", longestBlock))
	}
	return nil
}

// spokenBlocks are an author's text blocks as a draft inserts them.
func spokenBlocks(blocks []TextBlock) []notes.TextBlock {
	out := make([]notes.TextBlock, len(blocks))
	for i, b := range blocks {
		out[i] = notes.TextBlock{Name: b.Name, Also: b.Also, Text: b.Text, ApprovedBy: b.AuthorID.String(), ApprovedAt: b.AddedAt, Version: b.ID.String()}
	}
	return out
}
