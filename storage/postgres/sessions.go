package postgres

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/google/uuid"

	"vesper/internal/fault"
)

var _ scs.CtxStore = (*Sessions)(nil)

// Sessions keeps web sessions for alexedwards/scs. A token is stored as its SHA-256 only: it has 256 random bits, so a
// plain hash cannot be guessed back.
type Sessions struct {
	store     *Store
	personKey string
	codec     scs.Codec
}

// Sessions returns the session store. personKey is the key under which the session holds the person's id as a string;
// the row then carries it, so that DeleteSessionsOf finds it.
func (s *Store) Sessions(personKey string) *Sessions {
	return &Sessions{store: s, personKey: personKey, codec: scs.GobCodec{}}
}

func hashToken(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

// FindCtx implements scs.CtxStore.
func (s *Sessions) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	var data []byte
	err := s.store.pool.QueryRow(ctx, `SELECT data FROM sessions WHERE token_hash = $1 AND expiry > now()`, hashToken(token)).Scan(&data)
	if err = wrap("find session", err); fault.KindOf(err) == fault.NotFound {
		return nil, false, nil
	}
	return data, err == nil, err
}

// CommitCtx implements scs.CtxStore.
func (s *Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	_, err := s.store.pool.Exec(ctx, `
		INSERT INTO sessions (token_hash, data, expiry, person_id) VALUES ($1, $2, $3, $4)
		ON CONFLICT (token_hash) DO UPDATE SET data = excluded.data, expiry = excluded.expiry, person_id = excluded.person_id`,
		hashToken(token), data, expiry, s.personOf(data))
	return wrap("save session", err)
}

// DeleteCtx implements scs.CtxStore.
func (s *Sessions) DeleteCtx(ctx context.Context, token string) error {
	_, err := s.store.pool.Exec(ctx, `DELETE FROM sessions WHERE token_hash = $1`, hashToken(token))
	return wrap("delete session", err)
}

// DeleteSessionsOf ends all sessions of a person: at once, when the account is disabled or the password changed.
func (s *Sessions) DeleteSessionsOf(ctx context.Context, person uuid.UUID) error {
	_, err := s.store.pool.Exec(ctx, `DELETE FROM sessions WHERE person_id = $1`, person)
	return wrap("end sessions of person", err)
}

// DeleteExpired removes what has run out and says how many there were. FindCtx never returns those; this frees the space.
func (s *Sessions) DeleteExpired(ctx context.Context) (int, error) {
	tag, err := s.store.pool.Exec(ctx, `DELETE FROM sessions WHERE expiry <= now()`)
	return int(tag.RowsAffected()), wrap("delete expired sessions", err)
}

// Clean removes expired sessions every so often until ctx ends.
func (s *Sessions) Clean(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if _, err := s.DeleteExpired(ctx); err != nil && ctx.Err() == nil {
				s.store.log.WarnContext(ctx, "expired sessions stay for now", "error", err)
			}
		}
	}
}

// Find exists, like Commit and Delete, because scs.Store asks for it; scs calls the forms with a context.
func (s *Sessions) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit implements scs.Store.
func (s *Sessions) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

// Delete implements scs.Store.
func (s *Sessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

// personOf reads the person's id out of a session, nil before sign-in.
func (s *Sessions) personOf(data []byte) *uuid.UUID {
	_, values, err := s.codec.Decode(data)
	if err != nil {
		return nil
	}
	text, _ := values[s.personKey].(string)
	id, err := uuid.Parse(text)
	if err != nil || id == uuid.Nil {
		return nil
	}
	return &id
}
