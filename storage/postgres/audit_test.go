package postgres_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"vesper/internal/audit"
	"vesper/internal/fault"
	"vesper/pipeline"
)

// keys signs and verifies the log of one test.
type keys struct{ skey, vkey string }

func newKeys(t testing.TB) keys {
	t.Helper()
	s, v, err := audit.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return keys{s, v}
}

func (k keys) sign(c audit.Checkpoint) ([]byte, error) { return c.Sign(k.skey) }

func (w *world) sequence(k keys, limit int) ([]byte, int64) {
	w.Helper()
	signed, size, err := w.work.Sequence(ctxb(), limit, k.sign)
	w.must(err)
	return signed, size
}

// verify checks the log as `vesper audit verify` does, with checkpoints kept outside added.
func (w *world) verify(k keys, outside ...[]byte) audit.Report {
	w.Helper()
	inside, err := w.serve.Checkpoints(ctxb())
	w.must(err)
	v := audit.NewVerifier(append(inside, outside...), k.vkey)
	w.must(w.serve.Entries(ctxb(), v.Add))
	r, err := v.Finish(ctxb())
	w.must(err)
	return r
}

func TestEventsReadBackAndKeepTheirOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	subject := id()
	for _, a := range []string{"note.claim", "note.edit", "note.send"} {
		w.audit(a, subject)
	}
	w.audit("note.view", id())
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		got, err := tx.Events(ctx, subject)
		w.must(err)
		if len(got) != 3 || got[0].Action != "note.claim" || got[2].Action != "note.send" {
			t.Fatalf("events: %+v", got)
		}
		want := w.event("note.claim", subject)
		want.ID, want.At, want.PracticeID = got[0].ID, got[0].At, w.practice
		same(t, "event", got[0], want)
		newest, err := tx.PracticeEvents(ctx, time.Time{}, 2)
		w.must(err)
		if len(newest) != 2 || newest[0].Action != "note.view" || newest[1].Action != "note.send" {
			t.Errorf("newest: %+v", newest)
		}
		older, err := tx.PracticeEvents(ctx, newest[1].At, 10)
		w.must(err)
		if len(older) != 2 || older[0].Action != "note.edit" {
			t.Errorf("older: %+v", older)
		}
		return nil
	})
}

func TestAnActionWhoseEventCannotBeWrittenDoesNotHappen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, _ := w.receive()
	bad := w.event("note.edit", d.ID)
	bad.Outcome = "perhaps"
	err := w.try(func(ctx context.Context, tx pipeline.Tx) error {
		w.must(tx.Move(ctx, d.ID, []pipeline.State{pipeline.Queued}, pipeline.Failed, "x"))
		return tx.Audit(ctx, bad)
	})
	wantFault(t, err, fault.Internal, "refused_by_database")
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		got, err := tx.Dictation(ctx, d.ID)
		if got.State != pipeline.Queued {
			t.Errorf("the state is %s", got.State)
		}
		return err
	})
}

func TestTheLogGrowsInStepsAndVerifies(t *testing.T) {
	t.Parallel()
	w, k := ownWorld(t), newKeys(t)
	if signed, size := w.sequence(k, 10); signed != nil || size != 0 {
		t.Fatalf("an empty log was signed: %d", size)
	}
	other := w.newPractice("Harbor Clinic")
	var sizes []int64
	for range 5 {
		for range 7 {
			w.audit("note.edit", id())
		}
		w.must(w.serve.InTx(ctxb(), other, func(ctx context.Context, tx pipeline.Tx) error { return tx.Audit(ctx, w.event("note.sign", id())) }))
		for {
			signed, size := w.sequence(k, 3)
			if signed == nil {
				break
			}
			sizes = append(sizes, size)
		}
	}
	if last := sizes[len(sizes)-1]; last != 40 {
		t.Errorf("%d events in the tree; want 40", last)
	}
	r := w.verify(k)
	if !r.OK() || r.Events != 40 || r.Checkpoints != len(sizes) {
		t.Errorf("report: %+v", r)
	}
	if n, err := w.serve.Unsequenced(ctxb()); n != 0 || err != nil {
		t.Errorf("%d waiting, %v", n, err)
	}
}

func TestTwoSequencersAtOnceMakeOneTree(t *testing.T) {
	t.Parallel()
	w, k := ownWorld(t), newKeys(t)
	for range 40 {
		w.audit("note.edit", id())
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				signed, _, err := w.work.Sequence(ctxb(), 4, k.sign)
				if err != nil {
					t.Error(err)
				}
				if signed == nil {
					return
				}
			}
		})
	}
	wg.Wait()
	if r := w.verify(k); !r.OK() || r.Events != 40 {
		t.Errorf("report: %+v", r)
	}
}

func TestAnEventThatIsNotInTheTreeIsCountedEvenIfItsReminderIsGone(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	e := w.event("note.edit", id())
	e.At = time.Now().Add(-2 * time.Minute)
	w.in(func(ctx context.Context, tx pipeline.Tx) error { return tx.Audit(ctx, e) })
	w.audit("note.edit", id()) // younger than a minute: not late yet
	w.super(`DELETE FROM audit_pending`)
	if n, err := w.serve.Unsequenced(ctxb()); n != 1 || err != nil {
		t.Errorf("%d waiting, %v", n, err)
	}
}

// backUp keeps the log's tables aside and returns the statements that bring them back.
func (w *world) backUp() (restore []string) {
	w.Helper()
	for _, table := range []string{"audit_events", "audit_entries", "audit_hashes", "audit_checkpoints"} {
		w.super("CREATE TABLE backup_" + table + " AS TABLE " + table)
		restore = append(restore, "DELETE FROM "+table, "INSERT INTO "+table+" TABLE backup_"+table)
	}
	return restore
}

func TestEveryWayToChangeTheLogIsFound(t *testing.T) {
	t.Parallel()
	w, k := ownWorld(t), newKeys(t)
	for range 10 {
		w.audit("note.edit", id())
	}
	outside, _ := w.sequence(k, 100)
	restore := w.backUp()
	entry := func(seq string) string { return `(SELECT event_id FROM audit_entries WHERE seq = ` + seq + `)` }
	for what, c := range map[string]struct {
		sql  []string
		find string
	}{
		"an edited event": {[]string{`UPDATE audit_events SET outcome = 'refused' WHERE id = ` + entry("3")}, "entry 3 was changed"},
		"an edited event with a fitting leaf and other time": {[]string{`UPDATE audit_events SET at = at - interval '1 microsecond' WHERE id = ` + entry("5")}, "entry 5 was changed"},
		"a deleted event": {[]string{`DELETE FROM audit_events WHERE id = ` + entry("2")}, "entry 2 was changed"},
		"a deleted entry": {[]string{`DELETE FROM audit_events WHERE id = ` + entry("4"), `DELETE FROM audit_entries WHERE seq = 4`}, "entry 4 is missing"},
		"a gap that was closed": {[]string{
			`ALTER TABLE audit_entries DROP CONSTRAINT IF EXISTS audit_entries_seq_check`, `DELETE FROM audit_entries WHERE seq = 4`,
			`UPDATE audit_entries SET seq = -seq WHERE seq > 4`, `UPDATE audit_entries SET seq = -seq - 1 WHERE seq < 0`,
		}, "its tail was cut"},
		"two entries exchanged": {
			[]string{
				`ALTER TABLE audit_entries DROP CONSTRAINT IF EXISTS audit_entries_seq_check`,
				`UPDATE audit_entries SET seq = -1 WHERE seq = 1`, `UPDATE audit_entries SET seq = 1 WHERE seq = 2`, `UPDATE audit_entries SET seq = 2 WHERE seq = -1`,
			},
			"differs from a signed checkpoint",
		},
		"a cut tail":                     {[]string{`DELETE FROM audit_entries WHERE seq >= 6`}, "its tail was cut"},
		"a cut tail, checkpoint and all": {[]string{`DELETE FROM audit_entries WHERE seq >= 6`, `DELETE FROM audit_checkpoints`, `DELETE FROM audit_hashes WHERE idx >= 10`}, "its tail was cut"},
	} {
		t.Run(what, func(t *testing.T) {
			if r := w.verify(k, outside); !r.OK() {
				t.Fatalf("before: %+v", r)
			}
			w.super(c.sql...)
			defer w.super(restore...)
			r := w.verify(k, outside)
			if r.OK() || !strings.Contains(r.Findings[0].What, c.find) {
				t.Errorf("findings: %+v; want %q", r.Findings, c.find)
			}
		})
	}
}

func TestADamagedTreeIsNotSignedOver(t *testing.T) {
	t.Parallel()
	w, k := ownWorld(t), newKeys(t)
	for range 8 {
		w.audit("note.edit", id())
	}
	w.sequence(k, 100)
	w.audit("note.edit", id())
	restore := w.backUp()
	for what, sql := range map[string]string{
		"cut tail":     `DELETE FROM audit_entries WHERE seq >= 6`,
		"other hashes": `UPDATE audit_hashes SET hash = sha256(hash)`,
		"lost hashes":  `DELETE FROM audit_hashes`,
	} {
		t.Run(what, func(t *testing.T) {
			w.super(sql)
			defer w.super(restore...)
			_, _, err := w.work.Sequence(ctxb(), 10, k.sign)
			wantFault(t, err, fault.Internal, "audit_log_damaged")
		})
	}
}

func TestAnEventCannotBeWrittenForAnotherPractice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.newPractice("Harbor Clinic")
	e := w.event("note.edit", id())
	e.PracticeID = other
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error { return tx.Audit(ctx, e) }), fault.Internal, "database_permission")
}
