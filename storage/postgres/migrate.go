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
// is made as the owner. Steps are logged as they begin.
func Migrate(ctx context.Context, ownerURL string, log *slog.Logger) error {
	return migrateTo(ctx, ownerURL, log, -1)
}

// migrateTo goes to the given version, up or down; -1 is the newest.
func migrateTo(ctx context.Context, ownerURL string, log *slog.Logger, version int32) error {
	cfg, err := pgx.ParseConfig(ownerURL)
	if err != nil {
		return fault.Wrap(redactedURL(err), fault.Invalid, "database_url", "The database URL cannot be read. Use postgres://user:password@host:port/name.")
	}
	cfg.ConnectTimeout = connectTimeout
	cfg.RuntimeParams["application_name"] = "vesper migrate"
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
	m, err := migrate.NewMigrator(ctx, conn, versionTable)
	if err != nil {
		return wrap("read schema version", err)
	}
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("open migrations: %w", err)
	}
	if err := m.LoadMigrations(sub); err != nil {
		return fmt.Errorf("load migrations: %w", err)
	}
	if version < 0 {
		version = int32(len(m.Migrations))
	}
	start := time.Now()
	m.OnStart = func(n int32, name, direction, _ string) {
		log.InfoContext(ctx, "migration", "number", n, "name", name, "direction", direction)
	}
	if err := m.MigrateTo(ctx, version); err != nil {
		return wrapMigration(err)
	}
	log.InfoContext(ctx, "schema is up to date", "version", version, "took", time.Since(start).Round(time.Millisecond))
	return nil
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

// KnownSchema is the version of the schema that this program works with.
func KnownSchema() int {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return 0
	}
	return len(files)
}

// RequireSchema refuses a database whose schema this program does not know.
func (s *Store) RequireSchema(ctx context.Context) error {
	have, err := s.SchemaVersion(ctx)
	if err != nil {
		return err
	}
	want := KnownSchema()
	switch {
	case have < want:
		return fault.New(fault.Invalid, "schema_old", fmt.Sprintf("The database's schema is version %d, this program needs %d. Run `vesper migrate`.", have, want))
	case have > want:
		return fault.New(fault.Invalid, "schema_new", fmt.Sprintf("The database's schema is version %d, this program knows %d. Install the newer Vesper.", have, want))
	default:
		return nil
	}
}
