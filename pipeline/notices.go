package pipeline

import (
	"context"
	"time"

	"github.com/google/uuid"

	"vesper/pipeline/escalation"
)

// NoticeTx is the rules that bring waiting work to people, what they did, and how people are told.
type NoticeTx interface {
	// EscalationRules returns the newest rules of the practice as they were written; number 0: it has set none.
	EscalationRules(ctx context.Context) (StoredRules, error)
	AddEscalationRules(ctx context.Context, source string, by uuid.UUID) (int, error)
	// WaitingWork lists what a rule may be about, by id after the one given: all that is not at its end, and what was
	// received in the last thirty days and rejected.
	WaitingWork(ctx context.Context, after uuid.UUID, limit int) ([]WaitingWork, error)
	// WaitingOne is one of them, as it is in this transaction.
	WaitingOne(ctx context.Context, dictation uuid.UUID) (WaitingWork, error)
	// Escalated says which rules were carried out for dictations, for which episodes and when.
	Escalated(ctx context.Context, dictations []uuid.UUID) (map[RuleOn][]escalation.Done, error)
	// AddEscalation writes that a rule is carried out; At is now when zero. It reports false, and writes nothing, where that was
	// done already.
	AddEscalation(ctx context.Context, e Escalation) (bool, error)
	// Escalations lists the newest, at most limit.
	Escalations(ctx context.Context, limit int) ([]Escalation, error)

	InsertNotice(ctx context.Context, n Notice) error
	// Notices lists a person's, the newest first.
	Notices(ctx context.Context, person uuid.UUID, limit int) ([]Notice, error)
	UnreadNotices(ctx context.Context, person uuid.UUID) (int, error)
	// ReadNotices marks one of the person's as read, or all (nil), and says how many were not.
	ReadNotices(ctx context.Context, person uuid.UUID, id *uuid.UUID) (int, error)
	NoticeSettings(ctx context.Context, person uuid.UUID) (NoticeSettings, error)
	SetNoticeSettings(ctx context.Context, person uuid.UUID, s NoticeSettings) error

	InsertMessage(ctx context.Context, m Message) error
	// DeadMessages lists those that were given up, the newest first.
	DeadMessages(ctx context.Context, limit int) ([]Message, error)
	// ReviveMessage lets a message that was given up be sent again.
	ReviveMessage(ctx context.Context, id uuid.UUID) error
	Webhooks(ctx context.Context) ([]Webhook, error)
	InsertWebhook(ctx context.Context, h Webhook) error
	RemoveWebhook(ctx context.Context, id, by uuid.UUID) error
}

// MessageQueue is the workers' side of messages; it works across practices.
type MessageQueue interface {
	// Alone runs fn unless another process runs something under the same name; it reports whether it did.
	Alone(ctx context.Context, name string, fn func(context.Context) error) (bool, error)
	// ClaimMessages takes messages of a channel that are due, or whose sender vanished, for one attempt each.
	ClaimMessages(ctx context.Context, channel Channel, limit int) ([]Message, error)
	// EndMessage ends a message under its token: sent, or given up with the code of the failure.
	EndMessage(ctx context.Context, id, token uuid.UUID, code string) error
	// RetryMessage puts a message back under its token, for a time by the database's clock. refund gives the attempt back.
	RetryMessage(ctx context.Context, id, token uuid.UUID, after time.Duration, code string, refund bool) error
	// MessageDepth counts messages by state, without those that were sent.
	MessageDepth(ctx context.Context) (map[string]int, error)
}

// StoredRules are the practice's rules as they were written.
type StoredRules struct {
	Source string
	Number int // 0: the rules that come with Vesper
	SetBy  string
	SetAt  time.Time
}

// WaitingWork is a dictation with what rules may ask of it.
type WaitingWork struct {
	Clocked
	Job             JobState // of the newest job; CodeQuarantined where it was set aside, CodeCancelled and CodeSuperseded where a person ended it
	JobID           *uuid.UUID
	DeliveryID      *uuid.UUID // of the newest delivery
	DeliveryRefused bool
	ClaimID         *uuid.UUID // that holds now
	Holder          *uuid.UUID
	LastSign        *time.Time // when the holder took the note or saved it last
}

// Escalation is one rule that was carried out for one dictation.
type Escalation struct {
	ID          uuid.UUID
	DictationID uuid.UUID
	Rule        string
	Episode     string
	RulesNumber int
	At          time.Time
}

// RuleOn is a rule, by its name, for one dictation.
type RuleOn struct {
	DictationID uuid.UUID
	Rule        string
}

// Notice is what a person is told in the app.
type Notice struct {
	ID           uuid.UUID
	PersonID     uuid.UUID
	EscalationID uuid.UUID
	DictationID  uuid.UUID
	Say          string // the rule's words; nothing of a patient
	At           time.Time
	ReadAt       *time.Time

	// Of the dictation as it is now, for lists; read only.
	WorkType string
	Priority Priority
	State    State
}

// NoticeSettings is where a person wants to be told besides the app.
type NoticeSettings struct {
	Address string
	ByMail  bool
}

// Channel is a way out of the app.
type Channel string

// The channels.
const (
	ByMail    Channel = "mail"
	ByWebhook Channel = "webhook"
)

// Message is a notice on its way out. Content and ID stay the same for each attempt, so that a receiver can tell that it
// has it already.
type Message struct {
	ID           uuid.UUID
	PracticeID   uuid.UUID
	EscalationID uuid.UUID
	DictationID  uuid.UUID
	Channel      Channel
	Address      string // of mail
	WebhookID    *uuid.UUID
	URL          string // of the webhook; read only
	Content      Content
	State        string
	Attempt      int
	Token        uuid.UUID
	ErrorCode    string
	At           time.Time
}

// Content is what leaves the house: ids, states and the rule's own words.
type Content struct {
	Rule        string    `json:"rule"`
	Say         string    `json:"say"`
	DictationID uuid.UUID `json:"dictation_id"`
	State       State     `json:"state"`
	Priority    Priority  `json:"priority"`
	WorkType    string    `json:"work_type"`
	DueAt       time.Time `json:"due_at"`
	Zone        string    `json:"zone"` // of the practice
	At          time.Time `json:"at"`
}

// Webhook is an address of another system that is told.
type Webhook struct {
	ID      uuid.UUID
	URL     string
	AddedBy uuid.UUID
	AddedAt time.Time

	AddedByName string // read only
}
