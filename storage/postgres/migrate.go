package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/tern/v2/migrate"

	"vesper/internal/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

const versionTable = "public.schema_version"

// Migrate brings the schema to the version of this program, one transaction per step, under an advisory lock, so that
// several may call it at once. The URL's role must be the database's owner, a member of it, or a superuser; everything
// is made as the owner. Steps are logged as they begin. A schema that is newer and still lets this program work stays as
// it is.
//
// It may run beside working processes. A step that cannot have its lock soon gives up its place in the queue, because
// whoever comes after it would wait too, and is tried again later (see patience).
func Migrate(ctx context.Context, ownerURL string, log *slog.Logger) error {
	return migrateTo(ctx, ownerURL, log, -1)
}

// migrateTo goes to the given version, up or down; -1 is the newest.
func migrateTo(ctx context.Context, ownerURL string, log *slog.Logger, version int32) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("open migrations: %w", err)
	}
	return migrateFrom(ctx, ownerURL, log, sub, version, usualPatience)
}

func migrateFrom(ctx context.Context, ownerURL string, log *slog.Logger, files fs.FS, version int32, wait patience) error {
	cfg, err := pgx.ParseConfig(ownerURL)
	if err != nil {
		return fault.Wrap(redactedURL(err), fault.Invalid, "database_url", "The database URL cannot be read. Use postgres://user:password@host:port/name.")
	}
	cfg.ConnectTimeout = connectTimeout
	for k, v := range map[string]string{
		"application_name": "vesper migrate", "lock_timeout": millis(wait.lock),
		"statement_timeout": "0", "idle_in_transaction_session_timeout": "0", // a step on a large table takes its time
	} {
		cfg.RuntimeParams[k] = v // also what tern's RESET ALL goes back to
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return wrap("connect to migrate", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := becomeOwner(ctx, conn); err != nil {
		return err
	}
	release, err := soleMigrator(ctx, conn)
	if err != nil {
		return err
	}
	defer release()
	return wait.patiently(ctx, log, func() error { return runMigrations(ctx, conn, log, files, version) })
}

// runMigrations does the steps that are left.
func runMigrations(ctx context.Context, conn *pgx.Conn, log *slog.Logger, files fs.FS, version int32) error {
	m, err := migrate.NewMigrator(ctx, conn, versionTable)
	if err != nil {
		return wrap("read schema version", err)
	}
	if err := m.LoadMigrations(files); err != nil {
		return fmt.Errorf("load migrations: %w", err)
	}
	if version < 0 {
		version = int32(len(m.Migrations))
		if kept, err := newerButCompatible(ctx, conn, version); kept || err != nil {
			return err
		}
	}
	start := time.Now()
	m.OnStart = func(n int32, name, direction, sql string) {
		log.InfoContext(ctx, "migration", "number", n, "name", name, "direction", direction)
		letWait(ctx, conn, sql)
	}
	if err := m.MigrateTo(ctx, version); err != nil {
		return wrapMigration(err)
	}
	log.InfoContext(ctx, "schema is up to date", "version", version, "took", time.Since(start).Round(time.Millisecond))
	return nil
}

// newerButCompatible says whether the database is newer than this program and still lets it work: then there is nothing
// to migrate, and an older program of a rolling upgrade may start on it.
func newerButCompatible(ctx context.Context, conn *pgx.Conn, known int32) (bool, error) {
	var have, oldest int32
	if err := conn.QueryRow(ctx, `SELECT version FROM schema_version`).Scan(&have); err != nil || have <= known {
		return false, wrap("read schema version", err)
	}
	if err := conn.QueryRow(ctx, `SELECT version, oldest_program FROM schema_version, schema_compat`).Scan(&have, &oldest); err != nil {
		return false, wrap("read oldest program", err)
	}
	if oldest > known {
		return false, schemaNew(int(have), int(known), int(oldest))
	}
	return true, nil
}

func wrapMigration(err error) error {
	var bad migrate.BadVersionError
	if errors.As(err, &bad) {
		return fault.Wrap(bad, fault.Invalid, "schema_new", "The database's schema is newer than this program. Install the newer Vesper.")
	}
	return wrap("migrate", err)
}

// becomeOwner takes the role of the database's owner, so that objects belong to it whoever migrates.
func becomeOwner(ctx context.Context, conn *pgx.Conn) error {
	var owner string
	err := conn.QueryRow(ctx, `SELECT quote_ident(pg_get_userbyid(datdba)) FROM pg_database WHERE datname = current_database()`).Scan(&owner)
	if err != nil {
		return wrap("find database owner", err)
	}
	if _, err := conn.Exec(ctx, `SET ROLE `+owner); err != nil {
		return wrap("become database owner", err)
	}
	return nil
}
