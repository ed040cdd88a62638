package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/pipeline"
)

const personColumns = `id, practice_id, role, login, name, credential, ehr_ref, disabled`

func scanPerson(row pgx.CollectableRow) (p pipeline.Person, err error) {
	err = row.Scan(&p.ID, &p.PracticeID, &p.Role, &p.Login, &p.Name, &p.Credential, &p.EHRRef, &p.Disabled)
	return p, err
}

// CreatePractice implements pipeline.Accounts. Its transaction belongs to the practice it makes.
func (s *Store) CreatePractice(ctx context.Context, name string) (uuid.UUID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, err
	}
	err = s.InTx(ctx, id, func(ctx context.Context, t pipeline.Tx) error {
		_, err := t.(*tx).Exec(ctx, `INSERT INTO practices (id, name) VALUES ($1, $2)`, id, name) //nolint:forcetypeassert // InTx gives no other
		return wrap("create practice", err)
	})
	return id, err
}

// Practices implements pipeline.Accounts.
func (s *Store) Practices(ctx context.Context) (map[string]uuid.UUID, error) {
	rows, err := s.pool.Query(ctx, `SELECT id, name FROM list_practices()`)
	if err != nil {
		return nil, wrap("list practices", err)
	}
	out := map[string]uuid.UUID{}
	var id uuid.UUID
	var name string
	_, err = pgx.ForEachRow(rows, []any{&id, &name}, func() error { out[name] = id; return nil })
	return out, wrap("list practices", err)
}

// FindLogin implements pipeline.Accounts.
func (s *Store) FindLogin(ctx context.Context, login string) (pipeline.Person, string, error) {
	var p pipeline.Person
	var hash string
	err := s.pool.QueryRow(ctx, `SELECT `+personColumns+`, password_hash FROM find_login($1)`, login).
		Scan(&p.ID, &p.PracticeID, &p.Role, &p.Login, &p.Name, &p.Credential, &p.EHRRef, &p.Disabled, &hash)
	return p, hash, wrap("find login", err)
}

func (t *tx) InsertPerson(ctx context.Context, p pipeline.Person, passwordHash string) error {
	id, err := newID(p.ID)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `
		INSERT INTO people (id, practice_id, role, login, name, credential, ehr_ref, disabled, password_hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		id, t.own(p.PracticeID), p.Role, p.Login, p.Name, p.Credential, p.EHRRef, p.Disabled, passwordHash)
	return wrap("insert person", err)
}

func (t *tx) Person(ctx context.Context, id uuid.UUID) (pipeline.Person, error) {
	return get(ctx, t, "read person", scanPerson, `SELECT `+personColumns+` FROM people WHERE id = $1`, id)
}

func (t *tx) People(ctx context.Context, role string) ([]pipeline.Person, error) {
	return list(ctx, t, "list people", scanPerson,
		`SELECT `+personColumns+` FROM people WHERE practice_id = $1 AND ($2 = '' OR role = $2) ORDER BY name, id`, t.practice, role)
}

func (t *tx) SetPersonDisabled(ctx context.Context, id uuid.UUID, disabled bool) error {
	return t.one(ctx, "disable person", notFound(), `UPDATE people SET disabled = $2 WHERE id = $1`, id, disabled)
}

func (t *tx) PasswordHash(ctx context.Context, person uuid.UUID) (string, error) {
	return get(ctx, t, "read password hash", pgx.RowTo[string], `SELECT password_hash FROM people WHERE id = $1`, person)
}

func (t *tx) InsertWorkType(ctx context.Context, key, name, loinc string, turnaroundHours float64) error {
	_, err := t.Exec(ctx, `
		INSERT INTO work_types (practice_id, key, name, loinc, turnaround_hours) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (practice_id, key) DO UPDATE
		SET name = excluded.name, loinc = excluded.loinc, turnaround_hours = excluded.turnaround_hours`,
		t.practice, key, name, loinc, turnaroundHours)
	return wrap("insert work type", err)
}
