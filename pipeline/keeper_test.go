package pipeline_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/audit"
	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/pipeline"
)

// loseJobs removes the jobs that are not done, as a restored backup or an intruder might.
func (w *world) loseJobs() {
	w.Helper()
	testkit.Exec(w, w.admin, `DELETE FROM jobs WHERE state = 'queued'`)
}

func TestADictationThatNobodyAttendsToGetsItsJobAgain(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	queued := w.submit()
	w.loseJobs()
	transcribed := w.transcribed()
	w.loseJobs()
	signed := w.signed()
	w.loseJobs()
	received := w.receivedOnly()
	w.drain()
	want := map[uuid.UUID][2]pipeline.State{
		queued: {pipeline.Queued, pipeline.Drafted}, transcribed: {pipeline.Transcribed, pipeline.Drafted},
		signed: {pipeline.Signed, pipeline.Delivered}, received: {pipeline.Received, pipeline.Drafted},
	}
	for id, s := range want {
		w.wantState(id, s[0])
	}
	w.must(w.keeper.ReconcileOnce(ctx))
	n := w.rows("jobs")
	w.must(w.keeper.ReconcileOnce(ctx))
	if again := w.rows("jobs"); again != n {
		t.Errorf("a second round made %d more jobs", again-n)
	}
	w.drain()
	for id, s := range want {
		w.wantState(id, s[1])
		told := false
		for _, e := range w.events(id) {
			told = told || e.Action == string(access.Process) && e.Detail["result"] == "reconciled"
		}
		if !told {
			t.Errorf("the record does not tell that the %s dictation was found unattended", s[0])
		}
	}
}

// receivedOnly commits a recording without the intent to transcribe it.
func (w *world) receivedOnly() uuid.UUID {
	w.Helper()
	ctx, body, audioID, id := context.Background(), tone(), newID(), newID()
	stored, err := w.vault.Put(ctx, w.practice, audioID, strings.NewReader(string(body)), int64(len(body)))
	w.must(err)
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		err := tx.InsertDictation(ctx, pipeline.Dictation{
			ID: id, AuthorID: w.people["physician"].ID, PatientID: &w.patient.ID, AudioID: &audioID, WorkType: "progress",
			Priority: pipeline.Routine, State: pipeline.Received, ReceivedAt: time.Now(), DueAt: time.Now().Add(time.Hour),
		})
		if err != nil {
			return err
		}
		return tx.InsertAudio(ctx, pipeline.Audio{
			ID: audioID, DictationID: id, Rendition: pipeline.Original, Key: stored.Key, SHA256: stored.SHA256, Size: stored.Size,
			SealedKey: stored.SealedKey, VersionID: stored.VersionID, ContentType: "audio/wav", Filename: "a.wav",
		})
	})
	return id
}

func TestTheKeeperRunsItsRoundsAndEndsWithItsContext(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx, stop := context.WithCancel(context.Background())
	id := w.submit()
	w.loseJobs()
	left := w.reviewed()
	w.expireClaims()
	ended := make(chan struct{})
	go func() { defer close(ended); w.keeper.Run(ctx) }()
	testkit.Until(t, soon, "the keeper's first rounds", func() bool {
		return len(w.jobs(id)) == 1 && w.dictation(left).State == pipeline.Drafted && w.rows("audit_checkpoints") > 0
	})
	stop()
	<-ended
}

func TestTheRecordVerifiesAndEveryTamperingIsFound(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	w.at(pipeline.Delivered)
	w.must(w.keeper.SequenceOnce(ctx))
	verify := func() audit.Report {
		t.Helper()
		r, err := w.svc.VerifyAudit(ctx, w.as("compliance"))
		w.must(err)
		return r
	}
	if r := verify(); !r.OK() || r.Events < 10 || r.Checkpoints == 0 {
		t.Fatalf("an honest log: %+v", r)
	}
	w.must(w.keeper.SequenceOnce(ctx))
	entry := func(seq string) string { return `(SELECT event_id FROM audit_entries WHERE seq = ` + seq + `)` }
	for _, c := range []struct{ what, sql, find string }{
		{"an edited event", `UPDATE audit_events SET outcome = 'refused' WHERE id = ` + entry("3"), "entry 3 was changed"},
		{"a deleted event", `DELETE FROM audit_events WHERE id = ` + entry("2"), "entry 2 was changed"},
		{"a cut tail with its checkpoints", `DELETE FROM audit_checkpoints WHERE size > 5; DELETE FROM audit_entries WHERE seq >= 5`, "its tail was cut"},
		{"an event that someone else added", `INSERT INTO audit_entries (seq, event_id, leaf)
			SELECT (SELECT max(seq) + 1 FROM audit_entries), event_id, leaf FROM audit_entries WHERE seq = 1`, ""},
	} {
		testkit.Exec(t, w.admin, `BEGIN; SET LOCAL session_replication_role = replica;
			CREATE TABLE kept_events AS TABLE audit_events; CREATE TABLE kept_entries AS TABLE audit_entries; CREATE TABLE kept_checkpoints AS TABLE audit_checkpoints;
			ALTER TABLE audit_entries DROP CONSTRAINT IF EXISTS audit_entries_event_id_key; `+c.sql+`; COMMIT`)
		r := verify()
		found := false
		for _, f := range r.Findings {
			found = found || strings.Contains(f.What, c.find)
		}
		if r.OK() || !found {
			t.Errorf("%s: findings %+v, want %q", c.what, r.Findings, c.find)
		}
		testkit.Exec(t, w.admin, `BEGIN; SET LOCAL session_replication_role = replica;
			DELETE FROM audit_entries; INSERT INTO audit_entries TABLE kept_entries; DELETE FROM audit_checkpoints; INSERT INTO audit_checkpoints TABLE kept_checkpoints;
			DELETE FROM audit_events e WHERE EXISTS (SELECT FROM kept_events k WHERE k.id = e.id); INSERT INTO audit_events TABLE kept_events;
			DROP TABLE kept_events, kept_entries, kept_checkpoints; COMMIT`)
		if r := verify(); !r.OK() {
			t.Fatalf("restored after %s: %+v", c.what, r.Findings)
		}
	}
	testkit.Exec(t, w.admin, `BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM audit_pending; COMMIT`)
	late := audit.Event{Action: "note.edit", ActorRole: "editor", Subject: "dictation", Outcome: "done", At: time.Now().Add(-2 * time.Minute)}
	w.in(func(ctx context.Context, tx pipeline.Tx) error { return tx.Audit(ctx, late) })
	if r := verify(); r.OK() || !strings.Contains(r.Findings[0].What, "not in the tree") {
		t.Errorf("events that nobody sequences: %+v", r.Findings)
	}
	if _, err := w.svc.VerifyAudit(ctx, w.as("admin")); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("an administrator reads the record: %v", err)
	}
}

// outside is a place for checkpoints that can be away.
type outside struct {
	away bool
	kept map[int64]string
	puts int
}

func (o *outside) put(_ context.Context, size int64, checkpoint []byte) error {
	if o.away {
		return fault.New(fault.Unavailable, "object_store_unavailable", "The object store is away.")
	}
	o.puts++
	o.kept[size] = string(checkpoint)
	return nil
}

func TestACheckpointThatCouldNotBeCopiedIsCopiedLater(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	place := &outside{away: true, kept: map[int64]string{}}
	w.keeper.Outside = place.put
	for range 2 {
		w.submit()
		if err := w.keeper.SequenceOnce(ctx); fault.KindOf(err) != fault.Unavailable {
			t.Fatalf("the place is away: %v", err)
		}
	}
	place.away = false
	w.must(w.keeper.SequenceOnce(ctx)) // nothing new to sequence
	all, err := w.work.Checkpoints(ctx)
	w.must(err)
	if len(all) != 2 || len(place.kept) != 2 {
		t.Fatalf("%d checkpoints in the database, %d outside", len(all), len(place.kept))
	}
	for _, c := range all {
		size, err := audit.SizeOf(c)
		w.must(err)
		if place.kept[size] != string(c) {
			t.Errorf("checkpoint of size %d is not the same outside", size)
		}
	}
	puts := place.puts
	w.must(w.keeper.SequenceOnce(ctx))
	if place.puts != puts {
		t.Error("a quiet round copies again")
	}
}

func TestANewKeeperCopiesTheNewestCheckpointThatTheLastOneLeftBehind(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	place := &outside{away: true, kept: map[int64]string{}}
	w.keeper.Outside = place.put
	w.submit()
	if err := w.keeper.SequenceOnce(ctx); err == nil {
		t.Fatal("the place is away")
	}
	place.away = false
	next := &pipeline.Keeper{Worker: w.worker, Settings: frozen, SignKey: w.keeper.SignKey, Outside: place.put, Log: w.keeper.Log}
	w.must(next.SequenceOnce(ctx))
	all, err := w.work.Checkpoints(ctx)
	w.must(err)
	size, err := audit.SizeOf(all[len(all)-1])
	w.must(err)
	if len(place.kept) != 1 || place.kept[size] != string(all[len(all)-1]) {
		t.Errorf("outside are %d checkpoints", len(place.kept))
	}
}

func TestALogThatGrowsWhileItIsVerifiedIsWhole(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	w.drafted()
	w.must(w.keeper.SequenceOnce(ctx))
	growing := growingLog{w.serve, func() {
		w.submit()
		w.must(w.keeper.SequenceOnce(ctx))
	}}
	r, err := pipeline.Verify(ctx, growing, w.key, nil)
	w.must(err)
	if !r.OK() {
		t.Errorf("findings %+v", r.Findings)
	}
}

// growingLog grows between the look at its checkpoints and the look at its entries.
type growingLog struct {
	pipeline.AuditLog
	grow func()
}

func (g growingLog) Entries(ctx context.Context, fn func(audit.Entry) error) error {
	g.grow()
	if err := g.AuditLog.Entries(ctx, fn); err != nil {
		return err
	}
	g.grow() // and once more before the last look
	return nil
}

func TestADictationThatCannotBeAttendedToHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	w := setup(t)
	broken := w.submit()
	w.loseJobs()
	testkit.Exec(w, w.admin, fmt.Sprintf(`SET session_replication_role = replica; UPDATE dictations SET state = 'transcribed' WHERE id = '%s'`, broken))
	later := w.submit()
	w.loseJobs()
	if err := w.keeper.ReconcileOnce(context.Background()); err == nil || !strings.Contains(err.Error(), broken.String()) {
		t.Errorf("what cannot be attended to is not named: %v", err)
	}
	w.drain()
	w.wantState(later, pipeline.Drafted)
}
