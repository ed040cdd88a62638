package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/internal/fault"
	"vesper/pipeline"
)

// InsertNotice implements pipeline.NoticeTx. A person is told once of one escalation.
func (t *tx) InsertNotice(ctx context.Context, n pipeline.Notice) error {
	id, err := newID(n.ID)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `
		INSERT INTO notifications (id, practice_id, person_id, escalation_id, dictation_id, say) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT ON CONSTRAINT notifications_once DO NOTHING`, id, t.practice, n.PersonID, n.EscalationID, n.DictationID, n.Say)
	return wrap("insert notification", err)
}

// Notices implements pipeline.NoticeTx.
func (t *tx) Notices(ctx context.Context, person uuid.UUID, limit int) ([]pipeline.Notice, error) {
	return list(ctx, t, "list notifications", scanNotice, `
		SELECT n.id, n.person_id, n.escalation_id, n.dictation_id, n.say, n.at, n.read_at, d.work_type, d.priority, d.state
		FROM notifications n JOIN dictations d ON d.id = n.dictation_id
		WHERE n.person_id = $1 ORDER BY n.at DESC, n.id LIMIT $2`, person, atMost(limit))
}

func scanNotice(row pgx.CollectableRow) (n pipeline.Notice, err error) {
	err = row.Scan(&n.ID, &n.PersonID, &n.EscalationID, &n.DictationID, &n.Say, &n.At, &n.ReadAt, &n.WorkType, &n.Priority, &n.State)
	n.At = n.At.UTC()
	return n, err
}

// UnreadNotices implements pipeline.NoticeTx.
func (t *tx) UnreadNotices(ctx context.Context, person uuid.UUID) (int, error) {
	return get(ctx, t, "count unread notifications", pgx.RowTo[int], `SELECT count(*) FROM notifications WHERE person_id = $1 AND read_at IS NULL`, person)
}

// ReadNotices implements pipeline.NoticeTx.
func (t *tx) ReadNotices(ctx context.Context, person uuid.UUID, id *uuid.UUID) (int, error) {
	tag, err := t.Exec(ctx, `
		UPDATE notifications SET read_at = now() WHERE person_id = $1 AND ($2::uuid IS NULL OR id = $2) AND read_at IS NULL`, person, id)
	if err != nil {
		return 0, wrap("mark notifications as read", err)
	}
	if tag.RowsAffected() == 0 && id != nil {
		_, err = get(ctx, t, "read notification", pgx.RowTo[uuid.UUID], `SELECT id FROM notifications WHERE person_id = $1 AND id = $2`, person, id)
	}
	return int(tag.RowsAffected()), err
}

// NoticeSettings implements pipeline.NoticeTx.
func (t *tx) NoticeSettings(ctx context.Context, person uuid.UUID) (pipeline.NoticeSettings, error) {
	found, err := find(ctx, t, "read notification settings", pgx.RowToStructByPos[pipeline.NoticeSettings],
		`SELECT address, by_mail FROM notification_settings WHERE person_id = $1`, person)
	if err != nil || found == nil {
		return pipeline.NoticeSettings{}, err
	}
	return *found, nil
}

// SetNoticeSettings implements pipeline.NoticeTx.
func (t *tx) SetNoticeSettings(ctx context.Context, person uuid.UUID, s pipeline.NoticeSettings) error {
	_, err := t.Exec(ctx, `
		INSERT INTO notification_settings (person_id, practice_id, address, by_mail) VALUES ($1, $2, $3, $4)
		ON CONFLICT (person_id) DO UPDATE SET address = excluded.address, by_mail = excluded.by_mail, changed_at = now()`,
		person, t.practice, s.Address, s.ByMail)
	return wrap("set notification settings", err)
}

// InsertMessage implements pipeline.NoticeTx. An address is told once of one escalation.
func (t *tx) InsertMessage(ctx context.Context, m pipeline.Message) error {
	id, err := newID(m.ID)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `
		INSERT INTO messages (id, practice_id, escalation_id, dictation_id, channel, address, webhook_id, content)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (escalation_id, channel, lower(address), webhook_id) DO NOTHING`,
		id, t.practice, m.EscalationID, m.DictationID, m.Channel, m.Address, m.WebhookID, m.Content)
	return wrap("insert message", err)
}

const messageColumns = `m.id, m.practice_id, m.escalation_id, m.dictation_id, m.channel, m.address, m.webhook_id,
	coalesce((SELECT url FROM webhooks w WHERE w.id = m.webhook_id), ''), m.content, m.state, m.attempt, m.lease_token, m.error_code, m.at`

func scanMessage(row pgx.CollectableRow) (m pipeline.Message, err error) {
	var token *uuid.UUID
	err = row.Scan(&m.ID, &m.PracticeID, &m.EscalationID, &m.DictationID, &m.Channel, &m.Address, &m.WebhookID, &m.URL, &m.Content, &m.State,
		&m.Attempt, &token, &m.ErrorCode, &m.At)
	if token != nil {
		m.Token = *token
	}
	m.At = m.At.UTC()
	return m, err
}

// DeadMessages implements pipeline.NoticeTx.
func (t *tx) DeadMessages(ctx context.Context, limit int) ([]pipeline.Message, error) {
	return list(ctx, t, "list messages given up", scanMessage, `
		SELECT `+messageColumns+` FROM messages m WHERE m.practice_id = $1 AND m.state = 'dead' ORDER BY m.ended_at DESC LIMIT $2`,
		t.practice, atMost(limit))
}

// ReviveMessage implements pipeline.NoticeTx.
func (t *tx) ReviveMessage(ctx context.Context, id uuid.UUID) error {
	return t.one(ctx, "send message again", fault.New(fault.Conflict, "message_not_dead", "This message is on its way or was sent already."), `
		UPDATE messages SET state = 'waiting', attempt = 0, run_after = now(), ended_at = NULL WHERE id = $1 AND practice_id = $2 AND state = 'dead'`,
		id, t.practice)
}

// Webhooks implements pipeline.NoticeTx.
func (t *tx) Webhooks(ctx context.Context) ([]pipeline.Webhook, error) {
	return list(ctx, t, "list webhooks", pgx.RowToStructByPos[pipeline.Webhook], `
		SELECT w.id, w.url, w.added_by, w.added_at, p.name FROM webhooks w JOIN people p ON p.id = w.added_by
		WHERE w.practice_id = $1 AND w.removed_at IS NULL ORDER BY w.added_at, w.id`, t.practice)
}

// InsertWebhook implements pipeline.NoticeTx.
func (t *tx) InsertWebhook(ctx context.Context, h pipeline.Webhook) error {
	_, err := t.Exec(ctx, `INSERT INTO webhooks (id, practice_id, url, added_by) VALUES ($1, $2, $3, $4)`, h.ID, t.practice, h.URL, h.AddedBy)
	return wrap("insert webhook", err)
}

// RemoveWebhook implements pipeline.NoticeTx.
func (t *tx) RemoveWebhook(ctx context.Context, id, by uuid.UUID) error {
	return t.one(ctx, "remove webhook", notFound(),
		`UPDATE webhooks SET removed_at = now(), removed_by = $2 WHERE id = $1 AND practice_id = $3 AND removed_at IS NULL`, id, by, t.practice)
}
