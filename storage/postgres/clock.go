package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"vesper/pipeline"
)

// longestPause is more than any back-off lasts, and than any service may ask for (see pipeline.mostPatience).
const longestPause = 20 * time.Minute

// mendTimes brings back what a step of the database's clock has put out of reach: after a step back, leases, rings and
// pauses of before lie in a future that may be hours away, and nothing would happen until then. A lease gets its length
// from now, so that a living worker keeps it and a dead one loses it; a ring is forgotten, and a pause is over.
func mendTimes(ctx context.Context, t pgx.Tx) error {
	lease := pipeline.Lease.Seconds()
	_, err := t.Exec(ctx, `
		UPDATE jobs SET lease_until = now() + make_interval(secs => $1)
		WHERE state = 'running' AND lease_until > now() + make_interval(secs => $2)`, lease, 2*lease)
	if err != nil {
		return wrap("mend leases after a step of the clock", err)
	}
	_, err = t.Exec(ctx, `
		UPDATE jobs SET dispatched_at = CASE WHEN dispatched_at > now() THEN NULL ELSE dispatched_at END,
		       run_after = CASE WHEN run_after > now() + make_interval(secs => $1) THEN now() ELSE run_after END
		WHERE state = 'queued' AND (dispatched_at > now() + interval '1 minute' OR run_after > now() + make_interval(secs => $1))`,
		longestPause.Seconds())
	if err != nil {
		return wrap("mend pauses after a step of the clock", err)
	}
	_, err = t.Exec(ctx, `
		UPDATE messages SET lease_until = now() + make_interval(secs => $1)
		WHERE state = 'sending' AND lease_until > now() + make_interval(secs => $2)`, pipeline.MessageLease.Seconds(), 2*pipeline.MessageLease.Seconds())
	if err == nil {
		_, err = t.Exec(ctx, `
			UPDATE messages SET run_after = now() WHERE state = 'waiting' AND run_after > now() + make_interval(secs => $1)`,
			2*pipeline.LongestMessagePause.Seconds())
	}
	return wrap("mend messages after a step of the clock", err)
}
