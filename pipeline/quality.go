package pipeline

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/notes"
)

// SignedNote is a signed note in a list: what its error rates are told by.
type SignedNote struct {
	NoteID     uuid.UUID
	SignerID   uuid.UUID
	Version    int // the signed one
	SignedAt   time.Time
	AuthorName string
	WorkType   string
	Model      string // of the newest transcript; "" without one
}

// Layers are the three states of a signed note that differ by who made them. All of them stay for ever, as versions.
type Layers struct {
	Engine Version  // the draft
	Editor *Version // the last one that somebody else than the signer saved; nil where nobody did
	Signed Version
}

// LayersOf picks the layers from a note's versions. ok is false for what no engine drafted, such as an addendum.
func LayersOf(versions []Version, signed int, signer uuid.UUID) (out Layers, ok bool) {
	for i, v := range versions {
		switch {
		case v.Number > signed:
		case v.Kind == EngineDraft:
			out.Engine, out.Editor, ok = v, nil, true
		case v.By != nil && *v.By != signer:
			out.Editor = &versions[i]
		}
		if v.Number == signed {
			out.Signed = v
		}
	}
	return out, ok && out.Signed.Number == signed
}

// Changes are the differences between the layers: what the editor changed in the draft, and the author in that. Without an
// editor it is one difference; where nothing follows the draft, none.
func (l Layers) Changes() []LayerChange {
	chain := []Version{l.Engine}
	if l.Editor != nil {
		chain = append(chain, *l.Editor)
	}
	if l.Signed.Number > chain[len(chain)-1].Number {
		chain = append(chain, l.Signed)
	}
	var out []LayerChange
	for i := 1; i < len(chain); i++ {
		a, b := chain[i-1], chain[i]
		out = append(out, LayerChange{
			From: a.Number, To: b.Number, ByName: b.ByName, Errors: notes.CountErrors(a.Document, b.Document), Changes: notes.Compare(a.Document, b.Document),
		})
	}
	return out
}

// QualityFilter says which signed notes are measured and how they are told apart.
type QualityFilter struct {
	Since time.Time // zero: all
	By    string    // "author", "work_type", "model" or "editor"; "" for one line of all
}

// QualityLine is the measure of one author, work type, model or editor.
type QualityLine struct {
	Name  string
	Notes int
	// Draft is what the editors and signers put right in the engine's draft.
	Draft Measure
	// Sent is what the signers put right in what the editors had sent. Notes that no editor touched have no part in it.
	Sent Measure
}

// Measure is the errors of a layer, and the average of the notes' scores.
type Measure struct {
	Notes  int
	Errors notes.Errors
	Score  float64

	scores float64
}

func (m *Measure) add(e notes.Errors) {
	m.Notes++
	m.Errors = m.Errors.Plus(e)
	m.scores += e.Score()
	m.Score = m.scores / float64(m.Notes)
}

// PerHundred is a number of errors for each hundred words.
func (m Measure) PerHundred(errors int) float64 {
	if m.Errors.Words == 0 {
		return 0
	}
	return 100 * float64(errors) / float64(m.Errors.Words)
}

// Nobody stands for the editor of notes that no editor changed.
const Nobody = "(no editor)"

// Quality measures the signed notes of a practice, a line for each name and the busiest first. It reads notes in order to
// count; the record says that and by what, and no text leaves it.
func (s *Service) Quality(ctx context.Context, actor access.Actor, f QualityFilter) ([]QualityLine, error) {
	switch f.By {
	case "", "author", "work_type", "model", "editor":
	default:
		return nil, fault.New(fault.Invalid, "quality_by", "Quality is told by author, work_type, model or editor.")
	}
	var list []SignedNote
	err := s.inTx(ctx, actor, access.ReadQuality, uuid.Nil, func(ctx context.Context, tx Tx) (err error) {
		if err := access.Decide(actor, access.ReadQuality, access.Resource{PracticeID: actor.PracticeID}); err != nil {
			return err
		}
		if list, err = tx.SignedNotes(ctx, f.Since); err != nil {
			return err
		}
		return tx.Audit(ctx, event(actor, access.ReadQuality, "practice", actor.PracticeID, "done", map[string]string{
			"since": f.Since.UTC().Format(time.DateOnly), "by": f.By, "notes": itoa(len(list)),
		}))
	})
	if err != nil {
		return nil, err
	}
	lines := map[string]*QualityLine{}
	for _, n := range list { // a transaction each: one open for all of them would hold back the database's cleaning
		if err := s.measure(ctx, actor, f, n, lines); err != nil {
			return nil, err
		}
	}
	out := make([]QualityLine, 0, len(lines))
	for _, l := range lines {
		out = append(out, *l)
	}
	slices.SortFunc(out, func(a, b QualityLine) int { return cmp.Or(b.Notes-a.Notes, cmp.Compare(a.Name, b.Name)) })
	return out, nil
}

func (s *Service) measure(ctx context.Context, actor access.Actor, f QualityFilter, n SignedNote, lines map[string]*QualityLine) error {
	var versions []Version
	err := s.Store.InTx(ctx, actor.PracticeID, func(ctx context.Context, tx Tx) (err error) {
		versions, err = tx.Versions(ctx, n.NoteID)
		return err
	})
	if err != nil {
		return err
	}
	layers, ok := LayersOf(versions, n.Version, n.SignerID)
	if !ok {
		return nil
	}
	name := map[string]string{"": "all", "author": n.AuthorName, "work_type": n.WorkType, "model": cmp.Or(n.Model, "(unknown)"), "editor": Nobody}[f.By]
	if f.By == "editor" && layers.Editor != nil {
		name = layers.Editor.ByName
	}
	line := lines[name]
	if line == nil {
		line = &QualityLine{Name: name}
		lines[name] = line
	}
	line.Notes++
	line.Draft.add(notes.CountErrors(layers.Engine.Document, layers.Signed.Document))
	if layers.Editor != nil {
		line.Sent.add(notes.CountErrors(layers.Editor.Document, layers.Signed.Document))
	}
	return nil
}
