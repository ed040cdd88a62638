package postgres

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"

	"vesper/internal/fault"
)

// patience is how a migration waits for its locks. A lock that stops all others (ALTER TABLE) is granted only when
// everyone who holds the table lets go, and whoever asks after it waits behind it: one long report would stop the whole
// practice. So each attempt waits shortly, and the pauses between attempts let the others through.
type patience struct {
	lock  time.Duration // one attempt's wait for one lock: the longest time that others are held up
	pause time.Duration // before the second attempt; it doubles up to sixteen times that
	total time.Duration // then a person must look who holds the table
}

var usualPatience = patience{lock: 2 * time.Second, pause: time.Second, total: 15 * time.Minute}

// patiently runs fn again for as long as it fails because of a lock.
func (p patience) patiently(ctx context.Context, log *slog.Logger, fn func() error) error {
	give, pause := time.Now().Add(p.total), p.pause
	for {
		err := fn()
		var sql *sqlError
		if !errors.As(err, &sql) || sql.state != "55P03" {
			return err
		}
		if time.Now().After(give) {
			return fault.Wrap(err, fault.Unavailable, "migration_blocked", "A table that must be changed was in use all the time, so the migration waited "+
				"in vain; what was done so far stays. See in pg_stat_activity who holds it, and run `vesper migrate` again.")
		}
		log.InfoContext(ctx, "a table is in use, or somebody else migrates; trying again", "pause", pause)
		select {
		case <-ctx.Done():
			return wrap("wait to migrate", ctx.Err())
		case <-time.After(pause/2 + rand.N(pause)):
		}
		pause = min(2*pause, 16*p.pause)
	}
}

// outsideTx is how tern is told to run a step without a transaction: CREATE INDEX CONCURRENTLY wants none.
var outsideTx = regexp.MustCompile(`(?m)^---- tern: disable-tx ----$`)

// letWait takes the limit on locks off a step without a transaction. What such a step waits for stops nobody, and giving up
// would leave an index behind that is not valid. Afterwards tern sets all back.
func letWait(ctx context.Context, conn *pgx.Conn, sql string) {
	if outsideTx.MatchString(sql) {
		_, _ = conn.Exec(ctx, `SET lock_timeout = 0`) // if it fails, the step itself will say why
	}
}
