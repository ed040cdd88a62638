package nemesis_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"vesper/internal/services"
	"vesper/internal/testkit"
)

// postgresFaults strike the truth.
func (p *practice) postgresFaults() []fault {
	affects := []string{"op:save", "op:claim", "op:upload", "op:upload-tus", "op:sign", "stage"}
	return []fault{
		{kind: "PostgreSQL restarted at once", part: "postgres", affects: affects, do: func(ctx context.Context, r *rand.Rand) (string, error) {
			within, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := p.base.Process(services.Postgres).StopWith(within, syscall.SIGQUIT); err != nil {
				return "", err
			}
			wait(ctx, between(r, 0*time.Second, 2*time.Second))
			return "", p.base.Process(services.Postgres).Start(within)
		}},
		{kind: "PostgreSQL killed", part: "postgres", affects: affects, do: func(context.Context, *rand.Rand) (string, error) {
			p.base.Process(services.Postgres).Kill()
			return "", nil
		}},
		{kind: "PostgreSQL backends ended", part: "postgres", affects: affects, do: func(context.Context, *rand.Rand) (string, error) {
			_, err := testkit.TryExec(p.admin, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IN ('vesper_serve', 'vesper_work')`)
			return "", err
		}},
		{kind: "PostgreSQL rows locked", part: "postgres", affects: affects, do: func(_ context.Context, r *rand.Rand) (string, error) {
			what := pick(r, []string{"jobs", "dictations", "notes", "audit_pending"})
			d := between(r, time.Second, 4*time.Second)
			_, err := testkit.TryExec(p.admin, `SELECT pg_sleep($1) FROM (SELECT 1 FROM `+what+` FOR UPDATE) held LIMIT 1`, d.Seconds())
			return what, err
		}},
		{kind: "PostgreSQL disk full", part: "postgres", affects: affects, do: func(ctx context.Context, r *rand.Rand) (string, error) {
			if p.noDisk != nil {
				return "", p.noDisk
			}
			return "", p.fillDisk(ctx, between(r, 3*time.Second, 6*time.Second))
		}},
	}
}

// fillDisk takes the last byte of PostgreSQL's disk, asks PostgreSQL for new files of its log, and gives the disk back.
func (p *practice) fillDisk(ctx context.Context, d time.Duration) error {
	filler := filepath.Join(p.diskDir, "filler")
	f, err := os.Create(filler)
	if err != nil {
		return err
	}
	defer os.Remove(filler)
	defer f.Close()
	for block := make([]byte, 4<<20); len(block) > 0; {
		if _, err = f.Write(block); err != nil {
			block = block[:len(block)/2] // the rest, in ever smaller pieces
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	for range 3 { // fails as soon as there is no room for the next file
		_, _ = testkit.TryExec(p.admin, `SELECT pg_switch_wal()`)
		_, _ = testkit.TryExec(p.admin, `SELECT txid_current()`)
	}
	wait(ctx, d)
	return nil
}
