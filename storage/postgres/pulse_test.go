package postgres_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/pipeline/keeping"
)

// wantCount fails the test unless a measure of the pulse has this value.
func wantCount(t testing.TB, p pipeline.Pulse, measure, a, b string, want float64) {
	t.Helper()
	if got := p.Sum(measure, a, b); got != want {
		t.Errorf("%s %s %s is %g, want %g", measure, a, b, got, want)
	}
}

func TestThePulseCountsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	ctx := context.Background()
	empty, err := w.serve.Pulse(ctx)
	w.must(err)
	wantCount(t, empty, pipeline.PulseQueue, "", "", 0)

	_, waiting := w.receive()
	_, stat := w.receive(func(d *pipeline.Dictation) { d.Priority = pipeline.Stat })
	_, dead := w.receive()
	late, lost := w.receive()
	signed, _, _ := w.sign()
	_ = waiting
	_, err = w.work.ClaimJob(ctx, stat, "worker-1")
	w.must(err)
	_, err = w.work.ClaimJob(ctx, lost, "worker-2")
	w.must(err)
	testkit.Exec(t, w.admin, `UPDATE jobs SET lease_until = now() - interval '1 minute' WHERE id = $1`, lost)
	testkit.Exec(t, w.admin, `UPDATE dictations SET received_at = now() - interval '2 days', due_at = now() - interval '1 day' WHERE id = $1`, late.ID)
	job, err := w.work.ClaimJob(ctx, dead, "worker-1")
	w.must(err)
	w.must(w.work.InTx(ctx, w.practice, func(ctx context.Context, tx pipeline.Tx) error {
		if err := tx.BuryJob(ctx, dead, job.LeaseToken, "engine_busy"); err != nil {
			return err
		}
		return tx.Move(ctx, job.DictationID, []pipeline.State{pipeline.Queued}, pipeline.Failed, "The engine is busy.")
	}))
	with, _ := w.receive()
	testkit.Exec(t, w.admin, `SET session_replication_role = replica; UPDATE dictations SET state = 'awaiting_signature', received_at = now() - interval '2 days',
		due_at = now() - interval '1 day' WHERE id = '`+with.ID.String()+`'`)
	w.audit("note.sign", signed.ID)

	for _, store := range []interface {
		Pulse(context.Context) (pipeline.Pulse, error)
		Running(context.Context, int) ([]pipeline.RunningJob, error)
	}{w.serve, w.work} {
		p, err := store.Pulse(ctx)
		w.must(err)
		wantCount(t, p, pipeline.PulseLeases, "transcribe", "live", 1)
		wantCount(t, p, pipeline.PulseLeases, "transcribe", "expired", 1)
		wantCount(t, p, pipeline.PulseDead, "transcribe", "engine_busy", 1)
		wantCount(t, p, pipeline.PulseOpen, "failed", "routine", 1)
		wantCount(t, p, pipeline.PulseOpen, "queued", "stat", 1)
		wantCount(t, p, pipeline.PulseTurnaround, "routine", "over", 1)
		wantCount(t, p, pipeline.PulseTurnaround, "routine", "waiting", 1)
		wantCount(t, p, pipeline.PulseDeliveries, "pending", "", 1)
		wantCount(t, p, pipeline.PulseAudit, "", "", 1)
		wantCount(t, p, pipeline.PulseUnattended, "", "", 1) // signed by hand, without a job to deliver it
		if p.Sum(pipeline.PulseQueueDue, "transcribe", "routine") < 1 || p.Max(pipeline.PulseRelayLag, "", "") <= 0 {
			t.Errorf("the queue is not seen: %+v", p.Counts)
		}
		running, err := store.Running(ctx, 10)
		w.must(err)
		if len(running) != 2 || running[0].ID != lost || running[0].LeaseLeft >= 0 || running[0].Worker != "worker-2" || running[1].Silent() > pipeline.Lease {
			t.Errorf("running: %+v", running)
		}
	}
}

func TestThePulseCountsWhoWorksAndWhatWaitsForPeople(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	ctx := context.Background()
	box := uuid.Must(uuid.NewV7())
	w.must(w.work.ReportWorker(ctx, pipeline.WorkerReport{ID: box, Name: "box", Slots: 2, Transcriptions: 3}))
	p, err := w.serve.Pulse(ctx)
	w.must(err)
	wantCount(t, p, pipeline.PulseWorkers, "", "", 1)
	wantCount(t, p, pipeline.PulseSlots, "", "", 2)
	for _, measure := range []string{pipeline.PulseSpeed, pipeline.PulseWait, pipeline.PulseFindings, pipeline.PulseMessages, pipeline.PulsePurges} {
		for _, c := range p.Counts {
			if c.Measure == measure {
				t.Errorf("of nothing it says %+v", c)
			}
		}
	}
	w.must(w.work.MeasureRun(ctx, box, 4*time.Minute, time.Minute))
	_, err = w.work.Report(ctx, w.practice, []keeping.Finding{{Kind: keeping.Orphan, Key: "recordings/nobody"}})
	w.must(err)
	conn := w.conn(w.admin)
	for _, sql := range []string{
		`SET session_replication_role = replica`, // without what the message is about
		`INSERT INTO messages (id, practice_id, escalation_id, dictation_id, channel, address, content, state, ended_at, error_code)
			SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'mail', 'somebody@practice.example', '{}', s.state,
			       CASE WHEN s.state <> 'waiting' THEN now() END, CASE WHEN s.state = 'dead' THEN 'mail_refused' ELSE '' END
			FROM (VALUES ('dead'), ('dead'), ('waiting'), ('sent')) AS s (state)`,
	} {
		_, err := conn.Exec(ctx, sql)
		w.must(err)
	}
	p, err = w.work.Pulse(ctx)
	w.must(err)
	wantCount(t, p, pipeline.PulseSpeed, "", "", 4)
	wantCount(t, p, pipeline.PulseWait, "", "", 0)
	wantCount(t, p, pipeline.PulseFindings, string(keeping.Orphan), "", 1)
	wantCount(t, p, pipeline.PulseMessages, "dead", "", 2)
	wantCount(t, p, pipeline.PulseMessages, "", "", 3)
}

// TestThePulseReadsNothingThatIsThrough fills the tables with history and sees that no whole table is read for a pulse.
func TestThePulseReadsNothingThatIsThrough(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	ctx := context.Background()
	w.receive()
	d, _, _ := w.sign()
	past := map[string]string{
		"dictations": `INSERT INTO dictations (id, practice_id, author_id, parent_id, work_type, priority, state, received_at, due_at)
			SELECT gen_random_uuid(), d.practice_id, d.author_id, d.id, d.work_type, d.priority, 'delivered', d.received_at - n * interval '1 minute', d.due_at
			FROM dictations d, generate_series(1, 20000) n WHERE d.id = $1`,
		"jobs": `INSERT INTO jobs (id, practice_id, dictation_id, kind, priority, input_sha256, gen, settings, state, max_attempts, run_after, due_at, finished_at)
			SELECT gen_random_uuid(), d.practice_id, d.id, 'draft', 'routine', repeat('0', 64), 0, '{}', 'done', 5, d.received_at, d.due_at, d.received_at
			FROM dictations d WHERE d.state = 'delivered' AND d.id <> $1`,
		"notes": `INSERT INTO notes (id, practice_id, dictation_id, work_type)
			SELECT gen_random_uuid(), d.practice_id, d.id, d.work_type FROM dictations d WHERE d.state = 'delivered' AND d.id <> $1`,
		"deliveries": `INSERT INTO deliveries (id, practice_id, note_id, signature_id, text_sha256, target, state, ehr_id, read_back_sha256)
			SELECT gen_random_uuid(), n.practice_id, n.id, gen_random_uuid(), 'h', 'sandbox', 'delivered', 'x', 'h'
			FROM notes n JOIN dictations d ON d.id = n.dictation_id WHERE d.state = 'delivered' AND d.id <> $1`,
		"claims": `INSERT INTO claims (id, practice_id, dictation_id, person_id, token, since, until, ended_at, end_reason)
			SELECT gen_random_uuid(), d.practice_id, d.id, d.author_id, gen_random_uuid(), now(), now(), now(), 'sent'
			FROM dictations d WHERE d.state = 'delivered' AND d.id <> $1`,
	}
	conn := w.conn(w.admin)
	do := func(sql string, args ...any) {
		t.Helper()
		if _, err := conn.Exec(ctx, sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	do(`SET session_replication_role = replica`) // the past is made by hand, past triggers and references
	for _, table := range []string{"dictations", "jobs", "notes", "deliveries", "claims"} {
		do(past[table], d.ID)
		do(`ANALYZE ` + table)
	}
	tx, err := w.conn(w.logins.Work).Begin(ctx) // a session that has read nothing yet
	w.must(err)
	var n int
	w.must(tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM watch_pulse()) + (SELECT count(*) FROM watch_turnaround())`).Scan(&n))
	var whole string
	w.must(tx.QueryRow(ctx, `
		SELECT coalesce(string_agg(relname || ' ' || seq_tup_read, ', '), '') FROM pg_stat_xact_user_tables WHERE seq_tup_read > 100`).Scan(&whole))
	if n == 0 || whole != "" {
		t.Errorf("a pulse of %d numbers read whole tables: %s", n, whole)
	}
	w.must(tx.Rollback(ctx))
}

func TestATraceIsKeptWithTheWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	_, err := w.raw(w.logins.Serve, w.practice, `SELECT set_config('vesper.trace_parent', 'Quillfeather', true)`)
	w.must(err)
	d, job := w.receive()
	for _, table := range []string{"jobs", "dictations"} {
		if kept := testkit.Column[*string](t, w.admin, `SELECT trace_parent FROM `+table+` WHERE id = ANY (ARRAY['`+d.ID.String()+`', '`+job.String()+`']::uuid[])`); len(kept) != 1 || kept[0] != nil {
			t.Errorf("%s keeps %v of nothing", table, kept)
		}
		_, err := testkit.TryExec(w.admin, `UPDATE `+table+` SET trace_parent = 'Quillfeather' WHERE practice_id = $1`, w.practice)
		if err == nil || !strings.Contains(err.Error(), "trace_parent") {
			t.Errorf("%s keeps what is no trace: %v", table, err)
		}
		testkit.Exec(t, w.admin, `UPDATE `+table+` SET trace_parent = $2 WHERE practice_id = $1`, w.practice, parent)
	}
	claimed, err := w.work.ClaimJob(context.Background(), job, "worker-1")
	w.must(err)
	if claimed.TraceParent != parent {
		t.Errorf("the job brings %q along", claimed.TraceParent)
	}
}
