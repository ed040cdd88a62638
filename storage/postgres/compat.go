package postgres

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"vesper/internal/fault"
)

// SchemaCheckEvery is how often a running process looks whether the schema still allows it to work.
const SchemaCheckEvery = time.Minute

// KnownSchema is the version of the schema that this program works with.
func KnownSchema() int {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return 0
	}
	return len(files)
}

// SchemaVersion is the version of the database's schema, 0 when it was never migrated.
func (s *Store) SchemaVersion(ctx context.Context) (int, error) {
	var v int
	err := s.pool.QueryRow(ctx, `SELECT version FROM schema_version`).Scan(&v)
	if err = wrap("read schema version", err); err != nil {
		if code := fault.As(err).Code; code == "schema_old" || code == "database_permission" {
			return 0, nil
		}
		return 0, err
	}
	return v, nil
}

// RequireSchema refuses a database whose schema this program cannot work with: an older one, which wants migrating, and a
// newer one that says that it has left this program behind (table schema_compat).
func (s *Store) RequireSchema(ctx context.Context) error {
	have, err := s.SchemaVersion(ctx)
	if err != nil {
		return err
	}
	want := KnownSchema()
	switch {
	case have < want:
		return fault.New(fault.Invalid, "schema_old", fmt.Sprintf("The database's schema is version %d, this program needs %d. Run `vesper migrate`.", have, want))
	case have == want:
		return nil
	}
	var oldest int
	// Read together: a migration that is under way commits both or neither.
	err = s.pool.QueryRow(ctx, `SELECT v.version, c.oldest_program FROM schema_version v, schema_compat c`).Scan(&have, &oldest)
	if err = wrap("read oldest program", err); err != nil {
		return err
	}
	if oldest > want {
		return schemaNew(have, want, oldest)
	}
	return nil
}

func schemaNew(have, want, oldest int) error {
	return fault.New(fault.Invalid, "schema_new", fmt.Sprintf(
		"The database's schema is version %d and works only with programs for version %d or later; this program is for %d. Install the newer Vesper.", have, oldest, want))
}

// WatchSchema looks at the schema every so often, and at once when the server says that a table, column or function is
// missing. It returns the fault of RequireSchema when this program must stop, and nil when ctx ends. A server that does
// not answer is no reason to stop.
func (s *Store) WatchSchema(ctx context.Context, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := s.RequireSchema(ctx); err != nil && fault.KindOf(err) == fault.Invalid {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.doubt:
		}
	}
}

// watchErrors wakes WatchSchema when an answer of the server suggests that the schema is not the one this program knows.
func (s *Store) watchErrors(cfg *pgxpool.Config) {
	keep := cfg.ConnConfig.OnPgError // decides whether the connection is still good
	cfg.ConnConfig.OnPgError = func(c *pgconn.PgConn, e *pgconn.PgError) bool {
		if e.Code == "42P01" || e.Code == "42703" || e.Code == "42883" {
			select {
			case s.doubt <- struct{}{}:
			default:
			}
		}
		if keep != nil {
			return keep(c, e)
		}
		return !strings.EqualFold(e.Severity, "FATAL")
	}
}
