package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/pipeline"
	"vesper/storage/postgres"
)

// worker reports a worker that takes so many transcriptions at once.
func (w *world) worker(transcriptions int) uuid.UUID {
	w.Helper()
	r := pipeline.WorkerReport{ID: id(), Name: "test", Slots: transcriptions, Transcriptions: transcriptions, Drafts: 2, Deliveries: 3}
	w.must(w.work.ReportWorker(ctxb(), r))
	return r.ID
}

// of makes receive's dictation one of the person.
func of(p pipeline.Person, due time.Duration) func(*pipeline.Dictation) {
	return func(d *pipeline.Dictation) { d.AuthorID, d.DueAt = p.ID, d.ReceivedAt.Add(due) }
}

func urgent(d *pipeline.Dictation) { d.Priority = pipeline.Stat }

// served does the work as workers would, one job after the other, and returns the jobs in the order in which they began.
func (w *world) served(most int) (order []uuid.UUID) {
	w.Helper()
	for len(order) < most {
		rung := w.dispatch()
		if len(rung) == 0 {
			break
		}
		for _, b := range rung {
			order = append(order, b.JobID)
			w.finish(b.JobID)
		}
	}
	return order
}

func (w *world) finish(job uuid.UUID) {
	w.Helper()
	j := w.claim(job)
	w.must(w.work.InTx(ctxb(), j.PracticeID, func(ctx context.Context, tx pipeline.Tx) error { return tx.FinishJob(ctx, j.ID, j.LeaseToken) }))
}

func TestOneAuthorsImportDoesNotDelayAnothersSingleNote(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	w.worker(1)
	other := w.newPerson(w.practice, "physician", "Ben Osei")
	for range 30 {
		w.receive(of(w.physician, time.Hour)) // all due before the other's
	}
	if n := len(w.served(5)); n != 5 {
		t.Fatalf("%d of the import were served", n)
	}
	_, single := w.receive(of(other, 20*time.Hour))
	order := w.served(3)
	if at := slices.Index(order, single); at < 0 || at > 1 {
		t.Errorf("the single note was served at place %d after its arrival", at)
	}
	// Whoever was away for long has saved up no right to go first for long.
	_, one := w.receive(of(other, 20*time.Hour))
	_, two := w.receive(of(other, 21*time.Hour))
	order = w.served(8)
	if a, b := slices.Index(order, one), slices.Index(order, two); a > 1 || b-a != 2 {
		t.Errorf("served at places %d and %d, want them in turn with the import", a, b)
	}
}

func TestWithinAnAuthorsWorkTheDueTimeDecides(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	w.worker(1)
	for range 5 {
		w.receive(of(w.physician, 24*time.Hour))
	}
	_, discharge := w.receive(of(w.physician, time.Hour))
	if order := w.served(1); order[0] != discharge {
		t.Error("what is due first was not served first")
	}
}

func TestOnlyWhatTheWorkersTakeIsRung(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	one := w.worker(2)
	for range 9 {
		w.receive()
	}
	rung := w.dispatch()
	if len(rung) != 2 || len(w.dispatch()) != 0 {
		t.Fatalf("%d rung for a worker that takes 2", len(rung))
	}
	w.claim(rung[0].JobID)
	if again := w.dispatch(); len(again) != 0 {
		t.Errorf("%d rung while one runs and one is rung", len(again))
	}
	second := w.worker(3)
	if more := w.dispatch(); len(more) != 3 {
		t.Errorf("%d rung for a worker more that takes 3", len(more))
	}
	w.must(w.work.RetireWorker(ctxb(), second))
	w.finish2(rung[0].JobID)
	if more := w.dispatch(); len(more) != 0 {
		t.Errorf("%d rung beyond what is left of the workers", len(more))
	}
	// Doorbells that nobody answers make room for others, and are rung again.
	w.super(`UPDATE jobs SET dispatched_at = now() - interval '16 seconds' WHERE state = 'queued'`)
	if more := w.dispatch(); len(more) != 2 {
		t.Errorf("%d rung after silence", len(more))
	}
	// A worker without an engine takes nothing yet.
	w.must(w.work.ReportWorker(ctxb(), pipeline.WorkerReport{ID: one, Name: "test"}))
	w.super(`UPDATE jobs SET dispatched_at = NULL WHERE state = 'queued'`)
	if more := w.dispatch(); len(more) != 0 {
		t.Errorf("%d rung for a worker without an engine", len(more))
	}
}

// finish2 ends a job that runs already.
func (w *world) finish2(job uuid.UUID) {
	w.Helper()
	w.super(`UPDATE jobs SET state = 'done', lease_token = NULL, lease_until = NULL, finished_at = now() WHERE id = '` + job.String() + `'`)
}

func TestStatIsNextWhateverWaitsAndHoweverFullTheRoomIs(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	w.worker(2)
	w.fill(5_000, 40, 0)
	if n := len(w.dispatch()); n != 2 {
		t.Fatalf("%d rung", n)
	}
	_, stat := w.receive(urgent)
	if rung := w.dispatch(); len(rung) != 1 || rung[0].JobID != stat {
		t.Fatalf("with the room full of routine work, stat rings %+v", rung)
	}
	for range 5 {
		w.receive(urgent)
	}
	if rung := w.dispatch(); len(rung) != 1 {
		t.Errorf("%d stat rung beside the one that is out, in room for 2", len(rung))
	}
}

func TestDraftsAndDeliveriesHaveRoomOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	w.worker(1)
	for range 10 {
		w.receive()
	}
	w.dispatch()
	for range 5 {
		d, _ := w.receive()
		w.super(`UPDATE jobs SET kind = 'deliver' WHERE dictation_id = '` + d.ID.String() + `'`)
	}
	if rung := w.dispatch(); len(rung) != 3 || rung[0].Kind != pipeline.DeliverJob {
		t.Errorf("rung %+v, want 3 deliveries", rung)
	}
}

func TestARowThatSomebodyHoldsDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	w.worker(2)
	other := w.newPerson(w.practice, "physician", "Ben Osei")
	held, _ := w.receive(of(w.physician, time.Hour))
	_, free := w.receive(of(other, 20*time.Hour))
	conn := w.conn(w.admin)
	w.must(pgx.BeginFunc(ctxb(), conn, func(t pgx.Tx) error {
		if _, err := t.Exec(ctxb(), `SELECT FROM jobs WHERE dictation_id = $1 FOR UPDATE`, held.ID); err != nil {
			return err
		}
		if rung := w.dispatch(); len(rung) != 1 || rung[0].JobID != free {
			return errors.New("the held row held up the others")
		}
		return nil
	}))
}

// fill makes the database believe in many jobs of many authors, and in a history.
func (w *world) fill(queued, authors, finished int) {
	w.Helper()
	d, _ := w.receive()
	w.super(fmt.Sprintf(`
		INSERT INTO jobs (id, practice_id, dictation_id, author_id, kind, priority, input_sha256, gen, settings, state, max_attempts, run_after, due_at, finished_at)
		SELECT gen_random_uuid(), '%[1]s', '%[2]s', md5((n %% %[4]d)::text)::uuid, 'transcribe', 'routine',
		       encode(sha256(n::text::bytea), 'hex'), 0, '{}', CASE WHEN n <= %[3]d THEN 'queued' ELSE 'done' END, 5, now(), now() + n * interval '1 second',
		       CASE WHEN n > %[3]d THEN now() END
		FROM generate_series(1, %[3]d + %[5]d) n`, w.practice, d.ID, queued, authors, finished), `ANALYZE jobs`)
}

func TestPickingAmongManyIsByIndexAndLooksAtHeadsOnly(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	w.fill(10_000, 50, 1_000)
	conn := w.conn(w.admin)
	rows, err := conn.Query(ctxb(), `EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF) `+postgres.Heads, "transcribe", "routine", 15.0, 20)
	w.must(err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	w.must(err)
	plan := strings.Join(lines, "\n")
	if strings.Contains(plan, "Seq Scan on jobs") || !strings.Contains(plan, "jobs_waiting") {
		t.Errorf("the plan reads the table:\n%s", plan)
	}
	// 50 authors, each found and looked at with a few pages: far less than the queue, which fills thousands.
	var hit, read int
	if i := strings.Index(plan, "Buffers: "); i < 0 {
		t.Fatalf("no buffers in:\n%s", plan)
	} else if _, err := fmt.Sscanf(plan[i:], "Buffers: shared hit=%d read=%d", &hit, &read); err != nil && hit == 0 {
		t.Fatal(err)
	}
	if hit+read > 1500 {
		t.Errorf("%d pages were read for 50 heads:\n%s", hit+read, plan)
	}
}

func TestAWorkersRowIsTakenOverWhenItIsGoneForLong(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	for range 3 {
		w.must(w.work.MeasureRun(ctxb(), w.worker(2), time.Minute, 10*time.Second))
		w.super(`UPDATE workers SET seen_at = now() - interval '2 hours'`)
	}
	l, err := w.serve.Workload(ctxb(), uuid.Nil)
	w.must(err)
	if l.Workers != 0 || l.Slots != 0 || l.Speed() < 5.9 || l.Speed() > 6.1 {
		t.Errorf("workload %+v, speed %.2f", l, l.Speed())
	}
	if _, known := l.Wait(1); known {
		t.Error("a wait is told though nobody works")
	}
	w.worker(2)
	if n, err := w.raw(w.admin, uuid.Nil, `SELECT FROM workers`); err != nil || n != 1 {
		t.Errorf("%d rows for workers that came one after the other, %v", n, err)
	}
}

func TestTheWaitIsThatOfThePersonWhoAsks(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	other := w.newPerson(w.practice, "physician", "Ben Osei")
	worker := w.worker(2)
	w.must(w.work.MeasureRun(ctxb(), worker, 60*time.Second, 10*time.Second)) // a minute in ten seconds
	for range 40 {
		w.receive(of(w.physician, time.Hour))
	}
	w.receive(urgent)
	for who, want := range map[uuid.UUID]int{w.physician.ID: 41, other.ID: 2} { // its own and the stat one; one turn and the stat one
		l, err := w.serve.Workload(ctxb(), who)
		w.must(err)
		if l.Stat != 1 || l.Routine != 40 || l.Ahead != want || l.Running != 0 || l.Oldest.IsZero() {
			t.Errorf("workload %+v, want %d ahead", l, want)
		}
		wait, known := l.Wait(l.Ahead)
		if exact := time.Duration(want) * 5 * time.Second; !known || wait < exact-time.Second || wait > exact+time.Second {
			t.Errorf("it takes %s (%v), want about %s", wait, known, exact)
		}
	}
}
