package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/audit"
	"vesper/internal/fault"
	"vesper/notes/templates"
)

// Objects is the store of recordings. Put MUST return only after the bytes are safe and their SHA-256 is checked by the
// store or by reading them back; it MUST encrypt them before they leave the process, bound to practice and audio id.
// Open gives random access to the bytes as they were before encryption. Errors are faults: Unavailable when the store
// cannot be reached, NotFound when the object is gone.
type Objects interface {
	Put(ctx context.Context, practice, audioID uuid.UUID, r io.Reader, size int64) (Stored, error)
	Open(ctx context.Context, a Audio) (io.ReadSeekCloser, error)
}

// Stored is what Objects says of an object it keeps.
type Stored struct {
	Key       string
	SHA256    string // of the bytes before encryption, hex
	Size      int64
	SealedKey []byte
	VersionID string
}

// Prober looks at a file and says whether it can be transcribed. A fault of kind Invalid or Unsupported means never;
// Unavailable means it cannot be told now.
type Prober interface {
	Probe(ctx context.Context, path string) error
}

// Config is what a Service needs. All fields are required unless they say otherwise.
type Config struct {
	Store      Store
	Objects    Objects
	Prober     Prober
	Parts      Parts                                   // pieces of uploads that still arrive; nil: they are not listened to
	Settings   func() (json.RawMessage, error)         // transcription settings to freeze into new jobs
	Target     string                                  // name of the EHR that signed notes go to
	SpoolDir   string                                  // private folder for uploads on their way to the object store
	MaxBytes   int64                                   // largest recording, bytes
	QueueLimit int                                     // routine recordings that may wait for the engine before more are put off; 0: no bound
	AuditKey   string                                  // public key of the audit log, for Verify
	Outside    func(context.Context) ([][]byte, error) // checkpoints kept outside the database; may be nil
	Kick       func()                                  // wakes the relay after a commit; may be nil
	Hooks      Hooks                                   // webhooks that may be added; nil: none
	Now        func() time.Time                        // may be nil: time.Now
	Log        *slog.Logger
}

// Service is what people do: each method decides access, does its work and writes its audit event in one transaction.
type Service struct {
	Config
}

// NewService checks the configuration and returns the service.
func NewService(c Config) (*Service, error) {
	if c.Store == nil || c.Objects == nil || c.Prober == nil || c.Settings == nil || c.Log == nil || c.Target == "" {
		return nil, fmt.Errorf("pipeline service: a required part is missing")
	}
	if c.MaxBytes <= 0 {
		c.MaxBytes = 2 << 30
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Kick == nil {
		c.Kick = func() {}
	}
	if err := os.MkdirAll(c.SpoolDir, 0o700); err != nil {
		return nil, fmt.Errorf("make spool folder: %w", err)
	}
	if err := SweepTemp(c.SpoolDir, "upload-*", leftoverAge); err != nil {
		c.Log.Warn("sweep spool folder", "err", err)
	}
	return &Service{Config: c}, nil
}

// inTx runs fn for the actor's practice. A refusal of access is itself recorded, in a transaction of its own, because
// the one that found it rolls back.
func (s *Service) inTx(ctx context.Context, actor access.Actor, action access.Action, subject uuid.UUID,
	fn func(ctx context.Context, tx Tx) error,
) error {
	err := s.Store.InTx(ctx, actor.PracticeID, fn)
	if fault.KindOf(err) == fault.Forbidden {
		// Whoever hangs up at once does not get out of the record.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refusalTime)
		defer cancel()
		refused := s.Store.InTx(ctx, actor.PracticeID, func(ctx context.Context, tx Tx) error {
			kind, id := about(actor, action, subject)
			return tx.Audit(ctx, event(actor, action, kind, id, "refused", map[string]string{"code": fault.As(err).Code}))
		})
		if refused != nil {
			s.Log.ErrorContext(ctx, "record refusal", "err", refused)
		}
	}
	return err
}

// refusalTime bounds the writing of a refusal, which outlives its request.
const refusalTime = 10 * time.Second

// about names what an action was about: no id means the practice as a whole.
func about(actor access.Actor, action access.Action, subject uuid.UUID) (string, uuid.UUID) {
	switch {
	case subject == uuid.Nil, action == access.ManageHolds, action == access.SettleFinding:
		return "practice", actor.PracticeID
	case action == access.ManagePeople, action == access.ManageTerms, action == access.ReadTerms, action == access.ManageCorrections, action == access.Submit, action == "encounter.list":
		return "person", subject
	default:
		return "dictation", subject
	}
}

// event makes the audit event of an actor's action.
func event(a access.Actor, action access.Action, subject string, id uuid.UUID, outcome string, detail map[string]string) audit.Event {
	return audit.Event{
		PracticeID: a.PracticeID, ActorID: a.ID, ActorRole: string(a.Role), Action: string(action),
		Subject: subject, SubjectID: id, Outcome: outcome, RequestID: a.RequestID, Detail: detail,
	}
}

// done is the event of something that succeeded on a dictation.
func done(a access.Actor, action access.Action, id uuid.UUID, detail map[string]string) audit.Event {
	return event(a, action, "dictation", id, "done", detail)
}

// allowed reads the dictation (locked when lock is set) and decides the action on it.
func allowed(ctx context.Context, tx Tx, a access.Actor, action access.Action, id uuid.UUID, lock bool) (Dictation, access.Resource, error) {
	read := tx.Dictation
	if lock {
		read = tx.DictationForUpdate
	}
	d, err := read(ctx, id)
	if err != nil {
		return Dictation{}, access.Resource{}, err
	}
	r, err := resource(ctx, tx, d)
	if err != nil {
		return Dictation{}, access.Resource{}, err
	}
	return d, r, access.Decide(a, action, r)
}

// resource is what access.Decide needs to know of a dictation.
func resource(ctx context.Context, tx Tx, d Dictation) (access.Resource, error) {
	r := access.Resource{PracticeID: d.PracticeID, AuthorID: d.AuthorID, State: string(d.State)}
	c, err := tx.ClaimOf(ctx, d.ID)
	if err != nil {
		return r, err
	}
	if c != nil {
		r.ClaimedBy = c.PersonID
	}
	return r, nil
}

// move takes one step of the transition table for the actor.
func move(ctx context.Context, tx Tx, a access.Actor, d Dictation, to State, reason string) error {
	if !CanMove(d.State, to, a.Role) {
		return fault.New(fault.Conflict, "state_changed",
			fmt.Sprintf("This dictation is %s now, so this step is not possible. Reload the page to see where it is.", d.State.Words()))
	}
	return tx.Move(ctx, d.ID, []State{d.State}, to, reason)
}

// Words is the state as people read it.
func (s State) Words() string {
	switch s {
	case InReview:
		return "in review"
	case AwaitingSignature:
		return "awaiting signature"
	default:
		return string(s)
	}
}

// WorkTypes lists the kinds of document that can be dictated.
func (s *Service) WorkTypes() []templates.Template { return templates.All() }

func tooLate(to, what string) error {
	return fault.New(fault.Conflict, to, what)
}
