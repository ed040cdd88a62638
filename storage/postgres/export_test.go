package postgres

import (
	"context"
	"io/fs"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// MigrateTo goes to a version, up or down, for tests.
var MigrateTo = migrateTo

// MigrateFrom takes the steps from files of the test, and waits for locks as briefly as it is told.
func MigrateFrom(ctx context.Context, url string, log *slog.Logger, files fs.FS, lock, pause, total time.Duration) error {
	return migrateFrom(ctx, url, log, files, -1, patience{lock, pause, total})
}

// Migrations are the files of the schema.
func Migrations() fs.FS { return migrations }

// ClientFault is what becomes of the words of pg_dump and pg_restore.
var ClientFault = clientFault

// Heads is the statement that picks work.
const Heads = heads

// Exec runs a statement as whoever saves and restores.
func (w *Whole) Exec(ctx context.Context, sql string) (pgconn.CommandTag, error) {
	return w.conn.Exec(ctx, sql)
}
