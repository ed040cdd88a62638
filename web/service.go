package web

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/audit"
	"vesper/notes"
	"vesper/notes/render"
	"vesper/notes/templates"
	"vesper/pipeline"
	"vesper/pipeline/keeping"
	"vesper/pipeline/turnaround"
)

// Service is all that the web asks of the pipeline, in groups. Every method decides access itself, writes its audit
// event in the same transaction and returns faults (internal/fault). Implementations MUST be safe for concurrent use.
type Service interface {
	Accounts
	Submitter
	Reader
	Reviewer
	Signer
	Operator
	Orderer
	WorkQueue
	QueueOpener
	Registry
	Vocabulary
	Auditor
	Keeping
	Watcher
}

// Accounts opens and closes sessions and manages the practice's people. Login MUST take the same time for an unknown
// login as for a wrong password.
type Accounts interface {
	Login(ctx context.Context, login, password string) (pipeline.Person, error)
	Logout(ctx context.Context, actor access.Actor) error
	Person(ctx context.Context, practice, id uuid.UUID) (pipeline.Person, error)
	People(ctx context.Context, actor access.Actor, role string) ([]pipeline.Person, error)
	AddPerson(ctx context.Context, actor access.Actor, p pipeline.Person, password string) (uuid.UUID, error)
	SetPersonDisabled(ctx context.Context, actor access.Actor, id uuid.UUID, disabled bool) error
}

// Submitter takes recordings in. Submit returns only after the bytes are safe and the row is committed; it MUST be
// idempotent by client key and by content.
type Submitter interface {
	Submit(ctx context.Context, actor access.Actor, sub pipeline.Submission) (pipeline.Receipt, error)
	Arriver
}

// Arriver lets recordings be heard while they still arrive. Arrive takes the first size bytes of an upload and says how far
// it was heard; Withdraw ends that for an upload that was given up. Nothing else depends on either.
type Arriver interface {
	Arrive(ctx context.Context, actor access.Actor, sub pipeline.Submission, body io.ReaderAt, size int64) (time.Duration, error)
	Withdraw(ctx context.Context, actor access.Actor, sub pipeline.Submission) error
}

// Reader shows dictations. OpenAudio's caller MUST close the reader.
type Reader interface {
	Cards(ctx context.Context, actor access.Actor, f pipeline.Filter) ([]pipeline.Card, error)
	Attention(ctx context.Context, actor access.Actor) ([]pipeline.Card, error)
	Counts(ctx context.Context, actor access.Actor) (map[pipeline.State]int, error)
	Card(ctx context.Context, actor access.Actor, id uuid.UUID) (pipeline.Card, error)
	Detail(ctx context.Context, actor access.Actor, id uuid.UUID) (pipeline.Detail, error)
	History(ctx context.Context, actor access.Actor, id uuid.UUID) (pipeline.History, error)
	OpenAudio(ctx context.Context, actor access.Actor, id uuid.UUID, rendition string) (io.ReadSeekCloser, pipeline.Audio, error)
	Rendering(ctx context.Context, actor access.Actor, id uuid.UUID, number int, format render.Format) (pipeline.Rendering, error)
}

// Reviewer is the editor's work. Save and Settle refuse a base that is not the newest version with the code
// version_conflict.
type Reviewer interface {
	Claim(ctx context.Context, actor access.Actor, id uuid.UUID) (pipeline.Claim, error)
	Release(ctx context.Context, actor access.Actor, id uuid.UUID) error
	Save(ctx context.Context, actor access.Actor, id uuid.UUID, base int, sections []notes.SectionText) (pipeline.Version, error)
	Settle(ctx context.Context, actor access.Actor, id uuid.UUID, base int, flagID, how string) (pipeline.Version, error)
	Restore(ctx context.Context, actor access.Actor, id uuid.UUID, base int, taken string) (pipeline.Version, error)
	Send(ctx context.Context, actor access.Actor, id uuid.UUID, version int) error
	Bind(ctx context.Context, actor access.Actor, id uuid.UUID, patient, encounter *uuid.UUID, workType string) error
}

// Signer is the physician's decision.
type Signer interface {
	SignaturePreview(ctx context.Context, actor access.Actor, id uuid.UUID) (pipeline.SignaturePreview, error)
	Sign(ctx context.Context, actor access.Actor, id uuid.UUID, req pipeline.SignRequest) (pipeline.Signature, error)
	Return(ctx context.Context, actor access.Actor, id uuid.UUID, reason string) error
	Addendum(ctx context.Context, actor access.Actor, id uuid.UUID, text string) (uuid.UUID, error)
}

// Operator mends what failed.
type Operator interface {
	Retry(ctx context.Context, actor access.Actor, id uuid.UUID, reason string) error
	Reject(ctx context.Context, actor access.Actor, id uuid.UUID, reason string) error
}

// QueueOpener decides who sees the work queue's own pages, and records that they were opened or refused.
type QueueOpener interface {
	OpenQueues(ctx context.Context, actor access.Actor) error
}

// Registry lists what a dictation can refer to.
type Registry interface {
	Patients(ctx context.Context, actor access.Actor, search string) ([]pipeline.Patient, error)
	Encounters(ctx context.Context, actor access.Actor, author uuid.UUID) ([]pipeline.Encounter, error)
	WorkTypes() []templates.Template
}

// Vocabulary keeps the words that authors and the practice add; author nil is the practice's list.
type Vocabulary interface {
	Terms(ctx context.Context, actor access.Actor, author *uuid.UUID) ([]pipeline.VocabularyTerm, error)
	AddTerm(ctx context.Context, actor access.Actor, v pipeline.VocabularyTerm) (pipeline.VocabularyTerm, error)
	RemoveTerm(ctx context.Context, actor access.Actor, id uuid.UUID) error
	Language(ctx context.Context, actor access.Actor) (string, error)
	SetLanguage(ctx context.Context, actor access.Actor, language string) error
	TextBlocks(ctx context.Context, actor access.Actor) ([]pipeline.TextBlock, error)
	AddTextBlock(ctx context.Context, actor access.Actor, b pipeline.TextBlock) (pipeline.TextBlock, error)
	RemoveTextBlock(ctx context.Context, actor access.Actor, id uuid.UUID) error
	Learning(ctx context.Context, actor access.Actor, author uuid.UUID) (pipeline.Learning, error)
	DecideCorrection(ctx context.Context, actor access.Actor, author uuid.UUID, heard, written string, d pipeline.Decision) (pipeline.Correction, error)
	UndoCorrection(ctx context.Context, actor access.Actor, id uuid.UUID) error
}

// Auditor reads and verifies the record.
type Auditor interface {
	AuditTrail(ctx context.Context, actor access.Actor, before time.Time, limit int) ([]pipeline.Event, error)
	VerifyAudit(ctx context.Context, actor access.Actor) (audit.Report, error)
}

// Keeping is how recordings are kept and let go.
type Keeping interface {
	Kept(ctx context.Context, actor access.Actor) (pipeline.Kept, error)
	SettleFinding(ctx context.Context, actor access.Actor, id uuid.UUID, note string) error
	Tombstones(ctx context.Context, actor access.Actor, before time.Time) ([]pipeline.Tombstone, error)
	Retention(ctx context.Context, actor access.Actor) (pipeline.Retention, error)
	SetRetention(ctx context.Context, actor access.Actor, r keeping.Rule) (keeping.Rule, error)
	Holds(ctx context.Context, actor access.Actor) ([]keeping.Hold, error)
	SetHold(ctx context.Context, actor access.Actor, scope keeping.Scope, subject uuid.UUID, reason string) (keeping.Hold, int, error)
	LiftHold(ctx context.Context, actor access.Actor, id uuid.UUID, reason string) (keeping.Hold, error)
}

// Watcher keeps the practice's calendar and rules, and tells people what waits.
type Watcher interface {
	TurnaroundPlan(ctx context.Context, actor access.Actor) (pipeline.StoredPlan, error)
	SetTurnaroundPlan(ctx context.Context, actor access.Actor, number int, p turnaround.Plan) (moved int, err error)
	TurnaroundReport(ctx context.Context, actor access.Actor, from, to time.Time) (pipeline.TurnaroundReport, error)
	Escalations(ctx context.Context, actor access.Actor) (pipeline.Escalating, error)
	SetEscalationRules(ctx context.Context, actor access.Actor, number int, source string) (int, error)
	AddWebhook(ctx context.Context, actor access.Actor, url string) (pipeline.Webhook, string, error)
	RemoveWebhook(ctx context.Context, actor access.Actor, id uuid.UUID) error
	ResendMessage(ctx context.Context, actor access.Actor, id uuid.UUID) error
	Notices(ctx context.Context, actor access.Actor) ([]pipeline.Notice, error)
	UnreadNotices(ctx context.Context, actor access.Actor) (int, error)
	ReadNotices(ctx context.Context, actor access.Actor, id *uuid.UUID) error
	NoticeSettings(ctx context.Context, actor access.Actor) (pipeline.NoticeSettings, error)
	SetNoticeSettings(ctx context.Context, actor access.Actor, n pipeline.NoticeSettings) error
}
