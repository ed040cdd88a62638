package pipeline

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/pipeline/escalation"
)

// Escalating is what a supervisor sees of rules and messages.
type Escalating struct {
	Rules    StoredRules // Source is that of the rules that hold
	Set      escalation.Set
	Recent   []Escalation // carried out, the newest first
	Webhooks []Webhook
	Dead     []Message // given up, the newest first
}

// The names in the record of what people do with their notifications.
const (
	readNotices access.Action = "notification.read"
	setNotices  access.Action = "notification.settings"
)

// mayTurnaround decides what is about the practice as a whole.
func mayTurnaround(actor access.Actor, action access.Action) error {
	return access.Decide(actor, action, access.Resource{PracticeID: actor.PracticeID})
}

// Escalations is the practice's rules, what they did lately, and which messages could not be sent.
func (s *Service) Escalations(ctx context.Context, actor access.Actor) (Escalating, error) {
	var out Escalating
	err := s.inTx(ctx, actor, access.ReadTurnaround, uuid.Nil, func(ctx context.Context, tx Tx) (err error) {
		if err := mayTurnaround(actor, access.ReadTurnaround); err != nil {
			return err
		}
		if out.Rules, err = tx.EscalationRules(ctx); err != nil {
			return err
		}
		if out.Rules.Source == "" {
			out.Rules.Source = escalation.Default()
		}
		out.Set, _ = escalation.Parse(out.Rules.Source) // what cannot be read any more is shown as source only
		if out.Recent, err = tx.Escalations(ctx, 50); err != nil {
			return err
		}
		if out.Webhooks, err = tx.Webhooks(ctx); err != nil {
			return err
		}
		out.Dead, err = tx.DeadMessages(ctx, 50)
		return err
	})
	return out, err
}

// SetEscalationRules writes the practice's rules; an empty source goes back to those that come with Vesper. They hold from the
// next minute on, for all that waits already too. number is that of the rules the change is based on.
func (s *Service) SetEscalationRules(ctx context.Context, actor access.Actor, number int, source string) (int, error) {
	var out int
	err := s.inTx(ctx, actor, access.ManageTurnaround, uuid.Nil, func(ctx context.Context, tx Tx) (err error) {
		if err := mayTurnaround(actor, access.ManageTurnaround); err != nil {
			return err
		}
		if source = strings.TrimSpace(source); source != "" {
			set, problems := escalation.Parse(source)
			if len(problems) > 0 {
				return rulesInvalid(problems)
			}
			if err := knownEditors(ctx, tx, source, set); err != nil {
				return err
			}
			source += "\n"
		}
		if out, err = tx.AddEscalationRules(ctx, source, actor.ID); err != nil {
			return err
		}
		if out != number+1 {
			return changedMeanwhile()
		}
		return tx.Audit(ctx, event(actor, access.ManageTurnaround, "practice", actor.PracticeID, "done", map[string]string{
			"change": "rules", "number": itoa(out), "sha256": SHA256([]byte(source)),
		}))
	})
	return out, err
}

func rulesInvalid(problems []escalation.Problem) error {
	var text []string
	for _, p := range problems[:min(len(problems), 8)] {
		text = append(text, p.String())
	}
	return fault.New(fault.Invalid, "rules_invalid", "The rules were not saved. "+sentenceOf(strings.Join(text, "; "))+".")
}

func sentenceOf(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// Notices lists the actor's notifications, the newest first.
func (s *Service) Notices(ctx context.Context, actor access.Actor) ([]Notice, error) {
	var out []Notice
	err := s.Store.InTx(ctx, actor.PracticeID, func(ctx context.Context, tx Tx) (err error) {
		out, err = tx.Notices(ctx, actor.ID, 100)
		return err
	})
	return out, err
}

// UnreadNotices counts what the actor has not read, cheap enough to poll.
func (s *Service) UnreadNotices(ctx context.Context, actor access.Actor) (int, error) {
	var out int
	err := s.Store.InTx(ctx, actor.PracticeID, func(ctx context.Context, tx Tx) (err error) {
		out, err = tx.UnreadNotices(ctx, actor.ID)
		return err
	})
	return out, err
}

// ReadNotices marks one of the actor's notifications as read, or all of them.
func (s *Service) ReadNotices(ctx context.Context, actor access.Actor, id *uuid.UUID) error {
	return s.inTx(ctx, actor, readNotices, actor.ID, func(ctx context.Context, tx Tx) error {
		n, err := tx.ReadNotices(ctx, actor.ID, id)
		if err != nil {
			return err
		}
		return tx.Audit(ctx, event(actor, readNotices, "person", actor.ID, "done", map[string]string{"marked": itoa(n)}))
	})
}

// NoticeSettings says where the actor is told besides the app.
func (s *Service) NoticeSettings(ctx context.Context, actor access.Actor) (NoticeSettings, error) {
	var out NoticeSettings
	err := s.Store.InTx(ctx, actor.PracticeID, func(ctx context.Context, tx Tx) (err error) {
		out, err = tx.NoticeSettings(ctx, actor.ID)
		return err
	})
	return out, err
}

// SetNoticeSettings sets it.
func (s *Service) SetNoticeSettings(ctx context.Context, actor access.Actor, n NoticeSettings) error {
	n.Address = strings.TrimSpace(n.Address)
	if n.Address != "" && !escalation.ValidAddress(n.Address) || n.ByMail && n.Address == "" {
		return fault.New(fault.Invalid, "address_invalid", "Give an e-mail address such as name@practice.example.")
	}
	return s.inTx(ctx, actor, setNotices, actor.ID, func(ctx context.Context, tx Tx) error {
		if err := tx.SetNoticeSettings(ctx, actor.ID, n); err != nil {
			return err
		}
		return tx.Audit(ctx, event(actor, setNotices, "person", actor.ID, "done", map[string]string{"by_mail": yesNo(n.ByMail)}))
	})
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// AddWebhook adds an address of another system. The secret that signs what it gets is told here, once; whoever loses it adds
// the address anew.
func (s *Service) AddWebhook(ctx context.Context, actor access.Actor, url string) (Webhook, string, error) {
	h := Webhook{URL: strings.TrimSpace(url), AddedBy: actor.ID, AddedByName: actor.Name, AddedAt: s.Now().UTC().Truncate(time.Microsecond)}
	var err error
	if h.ID, err = uuid.NewV7(); err != nil {
		return h, "", err
	}
	err = s.inTx(ctx, actor, access.ManageTurnaround, uuid.Nil, func(ctx context.Context, tx Tx) error {
		if err := mayTurnaround(actor, access.ManageTurnaround); err != nil {
			return err
		}
		if s.Hooks == nil {
			return fault.New(fault.Unavailable, "webhooks_off", "Webhooks are not set up on this server. Ask whoever runs it.")
		}
		if err := s.Hooks.Check(h.URL); err != nil {
			return err
		}
		if err := tx.InsertWebhook(ctx, h); err != nil {
			return err
		}
		return tx.Audit(ctx, event(actor, access.ManageTurnaround, "webhook", h.ID, "done", map[string]string{"change": "webhook added"}))
	})
	if err != nil {
		return Webhook{}, "", err
	}
	return h, s.Hooks.Secret(h.ID), nil
}

// RemoveWebhook takes an address away; what is on its way to it is still sent.
func (s *Service) RemoveWebhook(ctx context.Context, actor access.Actor, id uuid.UUID) error {
	return s.inTx(ctx, actor, access.ManageTurnaround, uuid.Nil, func(ctx context.Context, tx Tx) error {
		if err := mayTurnaround(actor, access.ManageTurnaround); err != nil {
			return err
		}
		if err := tx.RemoveWebhook(ctx, id, actor.ID); err != nil {
			return err
		}
		return tx.Audit(ctx, event(actor, access.ManageTurnaround, "webhook", id, "done", map[string]string{"change": "webhook removed"}))
	})
}

// ResendMessage lets a message that was given up be sent again.
func (s *Service) ResendMessage(ctx context.Context, actor access.Actor, id uuid.UUID) error {
	return s.inTx(ctx, actor, access.ManageTurnaround, uuid.Nil, func(ctx context.Context, tx Tx) error {
		if err := mayTurnaround(actor, access.ManageTurnaround); err != nil {
			return err
		}
		if err := tx.ReviveMessage(ctx, id); err != nil {
			return err
		}
		return tx.Audit(ctx, event(actor, access.ManageTurnaround, "message", id, "done", map[string]string{"change": "message sent again"}))
	})
}
