package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// soleLock is held by the one process that migrates a database.
const soleLock = 0x76657370 // "vesp"

// soleMigrator waits until no other process migrates this database. It asks again and again instead of waiting inside of
// PostgreSQL: a session that waits there holds a snapshot, for which the concurrent build of an index would wait in turn.
func soleMigrator(ctx context.Context, conn *pgx.Conn) (release func(), err error) {
	for {
		var held bool
		if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, int64(soleLock)).Scan(&held); err != nil {
			return nil, wrap("wait for another migration", err)
		}
		if held {
			return func() { _, _ = conn.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(soleLock)) }, nil
		}
		select {
		case <-ctx.Done():
			return nil, wrap("wait for another migration", ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}
