package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/audit"
	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/pipeline/keeping"
)

func (w *world) purger(change ...func(*keeping.Purger)) *keeping.Purger {
	p := &keeping.Purger{Store: w.work, Objects: w.vault.Store, SignKey: w.keeper.SignKey, Log: slog.New(slog.NewTextHandler(w.logs, nil))}
	for _, c := range change {
		c(p)
	}
	return p
}

// age lets days pass for everything that has happened so far.
func (w *world) age(days int) {
	w.Helper()
	testkit.Exec(w, w.admin, fmt.Sprintf(`SET session_replication_role = replica;
		UPDATE state_changes SET at = at - interval '%[1]d days'; UPDATE retention_rules SET set_at = set_at - interval '%[1]d days';
		UPDATE audio_objects SET created_at = created_at - interval '%[1]d days'; UPDATE purges SET try_after = try_after - interval '%[1]d days'`, days))
}

// rule sets how long recordings are kept, for all documents.
func (w *world) rule(original, playback, rejected int) keeping.Rule {
	w.Helper()
	days := func(n int) *int {
		if n == 0 {
			return nil
		}
		return &n
	}
	r, err := w.svc.SetRetention(context.Background(), w.as("supervisor"), keeping.Rule{
		OriginalDays: days(original), PlaybackDays: days(playback), RejectedDays: days(rejected), Reason: "As the practice decided.",
	})
	w.must(err)
	return r
}

// purgeAll plans and carries out.
func (w *world) purgeAll(change ...func(*keeping.Purger)) int {
	w.Helper()
	p := w.purger(change...)
	_, err := p.Plan(context.Background(), keeping.Lock{})
	w.must(err)
	n, err := p.Carry(context.Background())
	w.must(err)
	return n
}

func (w *world) present(a pipeline.Audio) bool {
	w.Helper()
	err := w.vault.Look(context.Background(), keeping.Recording{ID: a.ID, PracticeID: a.PracticeID, Key: a.Key, VersionID: a.VersionID, Size: a.Size, SHA256: a.SHA256, SealedKey: a.SealedKey})
	if fault.KindOf(err) == fault.NotFound {
		return false
	}
	w.must(err)
	return true
}

func TestAPurgedRecordingLeavesASignedTombstoneAndThePlainTruth(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id, unsigned := w.at(pipeline.Delivered), w.awaiting()
	original, playback := w.audio(id, pipeline.Original), w.audio(id, pipeline.Playback)
	rule := w.rule(60, 30, 0)
	w.age(29)
	if n := w.purgeAll(); n != 0 {
		t.Fatalf("%d went before their time", n)
	}
	w.age(2)
	if n := w.purgeAll(); n != 1 || w.present(playback) || !w.present(original) {
		t.Fatalf("%d went; playback there: %v, original there: %v", n, w.present(playback), w.present(original))
	}
	// What is left serves for listening.
	r, a, err := w.svc.OpenAudio(ctx, w.as("supervisor"), id, pipeline.Playback)
	w.must(err)
	w.must(r.Close())
	if a.Rendition != pipeline.Original {
		t.Errorf("%s was played", a.Rendition)
	}
	w.age(30)
	if n := w.purgeAll(); n != 1 || w.present(original) {
		t.Fatalf("%d went; original there: %v", n, w.present(original))
	}
	for _, rendition := range []string{pipeline.Original, pipeline.Playback} {
		_, _, err := w.svc.OpenAudio(ctx, w.as("supervisor"), id, rendition)
		wantFault(t, err, fault.NotFound, "recording_purged")
		sha := map[string]string{pipeline.Original: original.SHA256, pipeline.Playback: playback.SHA256}[rendition]
		if text := fault.As(err).Public; !strings.Contains(text, sha) || !strings.Contains(text, "purged on") || !strings.Contains(text, "rule") {
			t.Errorf("a listener is told %q", text)
		}
	}
	d := w.detail(id)
	if d.HasAudio || len(d.Purged) != 2 || d.Version == nil || d.Transcript == nil {
		t.Errorf("has audio %v, %d tombstones, note %v, transcript %v", d.HasAudio, len(d.Purged), d.Version != nil, d.Transcript != nil)
	}
	stones, err := w.svc.Tombstones(ctx, w.as("compliance"), time.Time{})
	w.must(err)
	if len(stones) != 2 {
		t.Fatalf("%d tombstones", len(stones))
	}
	for _, s := range stones {
		got, err := audit.OpenTombstone(s.Signed, w.key)
		w.must(err)
		if got.DictationID != id || got.RuleID != rule.ID || got.RuleVersion != 1 || got.State != "delivered" || got.Size == 0 || got.SHA256 != s.SHA256 {
			t.Errorf("%+v", got)
		}
	}
	n, wrong, err := pipeline.VerifyTombstones(ctx, w.serve, w.key)
	if err != nil || n != 2 || len(wrong) != 0 {
		t.Errorf("%d tombstones, %v, %v", n, wrong, err)
	}
	var told int
	for _, e := range w.events(id) {
		if e.Detail["result"] == "purged" {
			told++
		}
	}
	if told != 2 {
		t.Errorf("%d events of two purges", told)
	}
	if n := w.purgeAll(); n != 0 {
		t.Errorf("%d went twice", n)
	}
	if !w.present(w.audio(unsigned, pipeline.Original)) {
		t.Error("an unsigned recording went")
	}
	w.check(keeping.Deep)
	w.wantFindings(map[keeping.Kind][]string{})

	// A tombstone that says something else than was signed is found.
	testkit.Exec(t, w.admin, `SET session_replication_role = replica; UPDATE tombstones SET size = size + 1 WHERE rendition = 'playback'`)
	if _, wrong, err := pipeline.VerifyTombstones(ctx, w.serve, w.key); err != nil || len(wrong) != 1 {
		t.Errorf("an altered tombstone: %v, %v", wrong, err)
	}
	report, err := w.svc.VerifyAudit(ctx, w.as("compliance"))
	w.must(err)
	if !slices.ContainsFunc(report.Findings, func(f audit.Finding) bool { return strings.Contains(f.What, "tombstone") }) {
		t.Error("the verification of the log says nothing of it")
	}
}

func TestPurgedRecordingsThatComeBackAreFound(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.at(pipeline.Delivered)
	a := w.audio(id, pipeline.Original)
	w.rule(30, 0, 0)
	w.age(31)
	w.purgeAll()
	w.harm().Plant(a.Key, []byte("again"))
	w.check(keeping.Quick)
	w.wantFindings(map[keeping.Kind][]string{keeping.PurgedPresent: {a.Key}})
}

// TestTheDatabaseDecidesAsTheProgramDoes compares keeping.Judge with purge_refusal over states, holds, rules and ages.
func TestTheDatabaseDecidesAsTheProgramDoes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	for _, s := range []pipeline.State{ // those that a worker would take on come last
		pipeline.Delivered, pipeline.Rejected, pipeline.Failed, pipeline.Drafted, pipeline.InReview, pipeline.AwaitingSignature, pipeline.Signed,
		pipeline.Queued,
	} {
		w.at(s)
	}
	ask := func(what string) {
		t.Helper()
		rules, err := w.work.Rules(ctx, w.practice)
		w.must(err)
		rows, err := w.work.Settled(ctx, w.practice, time.Now().Add(time.Hour), uuid.Nil, 1000)
		w.must(err)
		if len(rows) < 10 {
			t.Fatalf("only %d recordings", len(rows))
		}
		for _, r := range rows {
			rule, ruleID := keeping.For(rules, r.WorkType), uuid.Nil
			if rule != nil {
				ruleID = rule.ID
			}
			says := testkit.Column[string](t, w.admin, `SELECT CASE WHEN r = 'rule_changed' THEN 'kept_for_ever' ELSE r END FROM purge_refusal($1, $2) AS r`, r.ID, ruleID)
			if v := keeping.Judge(r, rule, time.Now()); v.Why != says[0] {
				t.Errorf("%s: %s %s: the program says %q, the database %q", what, r.State, r.Rendition, v.Why, says[0])
			}
		}
	}
	ask("no rule")
	w.rule(40, 30, 35)
	ask("a new rule")
	for _, days := range []int{29, 2, 5, 5} {
		w.age(days)
		ask(fmt.Sprintf("%d days on", days))
	}
	w.rule(0, 0, 0)
	w.age(8)
	ask("for ever")
	w.rule(30, 30, 30)
	w.age(8)
	hold, _, err := w.svc.SetHold(ctx, w.as("compliance"), keeping.OfAuthor, w.people["physician"].ID, "A request for records.")
	w.must(err)
	ask("held")
	_, err = w.svc.LiftHold(ctx, w.as("compliance"), hold.ID, "Answered.")
	w.must(err)
	ask("lifted")
}

func TestTheDatabaseItselfLetsNothingGoThatMustStay(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	signed, delivered, failed := w.at(pipeline.Failed), w.at(pipeline.Delivered), w.at(pipeline.AwaitingSignature)
	rule := w.rule(30, 30, 30)
	w.age(400)
	for _, id := range []uuid.UUID{signed, failed} {
		a := w.audio(id, pipeline.Original)
		err := w.work.IntendPurge(ctx, keeping.Recording{ID: a.ID, PracticeID: w.practice, DictationID: id}, rule.ID)
		wantFault(t, err, fault.Conflict, "recording_kept")
	}
	a := w.audio(delivered, pipeline.Original)
	r := keeping.Recording{ID: a.ID, PracticeID: w.practice, DictationID: delivered, Rendition: pipeline.Original, SHA256: a.SHA256, Size: a.Size}
	x := keeping.Purge{Recording: r, Rule: rule}
	stone := audit.Tombstone{AudioID: a.ID, PracticeID: w.practice, DictationID: delivered, Rendition: pipeline.Original, SHA256: a.SHA256, Size: a.Size, RuleID: rule.ID, RuleVersion: 1, PurgedAt: time.Now()}
	if err := w.work.FinishPurge(ctx, x, stone, []byte("x")); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a tombstone without an intent: %v", err)
	}
	w.must(w.work.IntendPurge(ctx, r, rule.ID))
	if err := w.work.FinishPurge(ctx, x, stone, []byte("x")); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a tombstone before the start: %v", err)
	}
	_, going, err := w.svc.SetHold(ctx, w.as("compliance"), keeping.OfPatient, w.patient.ID, "A request for records.")
	if err != nil || going != 0 {
		t.Fatalf("%d going, %v", going, err)
	}
	wantFault(t, w.work.StartPurge(ctx, x), fault.Conflict, "recording_kept")
	if n := w.purgeAll(); n != 0 || !w.present(a) {
		t.Fatal("a held recording went")
	}
	for _, sql := range []string{
		`UPDATE purges SET state = 'done'`, `UPDATE purges SET state = 'started'`, `DELETE FROM purges`, `DELETE FROM legal_holds`,
		`UPDATE legal_holds SET reason = 'x'`, `DELETE FROM keep_findings`,
		`INSERT INTO retention_rules (id, practice_id, work_type, version, original_days, reason, set_by) SELECT gen_random_uuid(), practice_id, '', 9, 29, 'x', set_by FROM retention_rules`,
		`UPDATE audio_objects SET key = 'x' WHERE rendition = 'original'`,
	} {
		if _, err := testkit.TryExec(w.admin, sql); err == nil {
			t.Errorf("a superuser may: %s", sql)
		}
	}
}

// failing lets one step fail, before or after it was done.
type failing struct {
	step  string
	after bool
}

var errBroken = errors.New("broken off")

func (f *failing) at(step string, do func() error) error {
	if f.step != step {
		return do()
	}
	f.step = ""
	if f.after {
		return errors.Join(do(), errBroken)
	}
	return errBroken
}

// failingStore and failingObjects are a database and an object store with one such step.
type failingStore struct {
	keeping.Store
	*failing
}

type failingObjects struct {
	keeping.Objects
	*failing
}

func (f failingStore) IntendPurge(ctx context.Context, r keeping.Recording, rule uuid.UUID) error {
	return f.at("intend", func() error { return f.Store.IntendPurge(ctx, r, rule) })
}

func (f failingStore) StartPurge(ctx context.Context, x keeping.Purge) error {
	return f.at("start", func() error { return f.Store.StartPurge(ctx, x) })
}

func (f failingStore) FinishPurge(ctx context.Context, x keeping.Purge, t audit.Tombstone, signed []byte) error {
	return f.at("bury", func() error { return f.Store.FinishPurge(ctx, x, t, signed) })
}

func (f failingObjects) Purge(ctx context.Context, r keeping.Recording) error {
	return f.at("delete", func() error { return f.Objects.Purge(ctx, r) })
}

// breakingAt is a purger that breaks off at a step.
func (w *world) breakingAt(step string, after bool) *keeping.Purger {
	f := &failing{step, after}
	return w.purger(func(p *keeping.Purger) {
		p.Store, p.Objects = failingStore{w.work, f}, failingObjects{w.vault.Store, f}
	})
}

func TestAPurgeThatBreaksOffAnywhereIsFinishedAndNothingIsLost(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.rule(30, 30, 0)
	for _, step := range []string{"intend", "start", "delete", "bury"} {
		for _, after := range []bool{false, true} {
			id := w.at(pipeline.Delivered)
			w.age(31)
			p := w.breakingAt(step, after)
			_, err1 := p.Plan(context.Background(), keeping.Lock{})
			_, err2 := p.Carry(context.Background())
			if !errors.Is(errors.Join(err1, err2), errBroken) {
				t.Errorf("%s, after %v: nothing broke: %v, %v", step, after, err1, err2)
			}
			// Whatever happened: a recording is there, or its end is written down as begun.
			for _, rendition := range []string{pipeline.Original, pipeline.Playback} {
				a := w.audio(id, rendition)
				states := testkit.Column[string](t, w.admin, `SELECT state FROM purges WHERE audio_id = $1`, a.ID)
				if !w.present(a) && (len(states) == 0 || states[0] != "started" && states[0] != "done") {
					t.Errorf("%s, after %v: a recording is gone without a word: %v", step, after, states)
				}
			}
			w.purgeAll()
			for _, rendition := range []string{pipeline.Original, pipeline.Playback} {
				if w.present(w.audio(id, rendition)) {
					t.Errorf("%s, after %v: the %s is still there", step, after, rendition)
				}
			}
			if n := len(w.detail(id).Purged); n != 2 {
				t.Errorf("%s, after %v: %d tombstones", step, after, n)
			}
		}
	}
	w.check(keeping.Quick)
	w.wantFindings(map[keeping.Kind][]string{})
	if n, wrong, err := pipeline.VerifyTombstones(context.Background(), w.serve, w.key); n != 16 || len(wrong) > 0 || err != nil {
		t.Errorf("%d tombstones, %v, %v", n, wrong, err)
	}
}

func TestAHoldBetweenDeletingAndWritingItDownLosesNoRecord(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	w.rule(30, 0, 0)
	gone, stays := w.at(pipeline.Delivered), w.at(pipeline.Delivered)
	w.age(31)
	for id, step := range map[uuid.UUID]string{gone: "bury", stays: "delete"} {
		p := w.breakingAt(step, false)
		rows, err := w.work.Settled(ctx, w.practice, time.Now(), uuid.Nil, 100)
		w.must(err)
		rules, err := w.work.Rules(ctx, w.practice)
		w.must(err)
		for _, r := range rows {
			if r.DictationID == id && r.Rendition == pipeline.Original {
				w.must(w.work.IntendPurge(ctx, r, rules[0].ID))
			}
		}
		if _, err := p.Carry(ctx); !errors.Is(err, errBroken) {
			t.Fatal(err)
		}
		testkit.Exec(t, w.admin, `UPDATE purges SET try_after = now() + interval '1 hour'`) // one after the other
	}
	_, going, err := w.svc.SetHold(ctx, w.as("compliance"), keeping.OfAuthor, w.people["physician"].ID, "A request for records.")
	w.must(err)
	if going != 2 {
		t.Errorf("%d were said to be going", going)
	}
	w.age(1)
	_, err = w.purger().Carry(ctx)
	w.must(err)
	if len(w.detail(gone).Purged) != 1 || w.present(w.audio(gone, pipeline.Original)) {
		t.Error("what was gone has no tombstone")
	}
	if len(w.detail(stays).Purged) != 0 || !w.present(w.audio(stays, pipeline.Original)) {
		t.Error("what was there did not stay")
	}
	w.check(keeping.Quick)
	w.wantFindings(map[keeping.Kind][]string{})
}

func TestWhatWasRejectedAndPurgedCannotBeOrderedAgain(t *testing.T) {
	t.Parallel()
	w := setup(t)
	purged, kept := w.at(pipeline.Rejected), w.at(pipeline.Rejected)
	w.rule(30, 30, 30)
	_, _, err := w.svc.SetHold(context.Background(), w.as("compliance"), keeping.OfDictation, kept, "The author asks.")
	w.must(err)
	w.age(31)
	w.purgeAll()
	wantFault(t, w.svc.Retry(context.Background(), w.as("supervisor"), purged, "Try again."), fault.Conflict, "recording_purged")
	same, again := tone(), w.submission()
	again.Body = bytes.NewReader(same)
	// Its author still has the bytes and sends them again: nobody says that they are kept.
	testkit.Exec(w, w.admin, fmt.Sprintf(`SET session_replication_role = replica; UPDATE audio_objects SET sha256 = '%s' WHERE dictation_id = '%s' AND rendition = 'original'`,
		pipeline.SHA256(same), purged))
	_, err = w.svc.Submit(context.Background(), w.as("physician"), again)
	wantFault(t, err, fault.Invalid, "recording_purged")
	w.wantState(purged, pipeline.Rejected)
	w.must(w.svc.Retry(context.Background(), w.as("supervisor"), kept, "Try again."))
}

func TestALockInTheStorePutsAPurgeOff(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.at(pipeline.Delivered)
	a := w.audio(id, pipeline.Original)
	w.rule(60, 0, 0)
	w.age(20)
	p := w.purger()
	_, err := p.Plan(ctx, keeping.Lock{Mode: keeping.Governance, For: time.Hour})
	w.must(err)
	want := time.Now().AddDate(0, 0, 40)
	got := testkit.Column[time.Time](t, w.admin, `SELECT locked_until FROM audio_locks WHERE audio_id = $1`, a.ID)
	if len(got) != 1 || got[0].Sub(want).Abs() > time.Minute {
		t.Fatalf("locked until %v, want %v", got, want)
	}
	w.age(41) // the clock of the store does not move: its lock stands
	if n := w.purgeAll(); n != 0 || !w.present(a) {
		t.Fatalf("%d went", n)
	}
	kept, err := w.svc.Kept(ctx, w.as("compliance"))
	w.must(err)
	if len(kept.Waiting) != 1 || kept.Waiting[0].Code != "object_locked" || kept.Waiting[0].TryAfter.Sub(want).Abs() > time.Minute {
		t.Errorf("%+v", kept.Waiting)
	}
	counts, err := w.serve.KeepingCounts(ctx)
	w.must(err)
	if counts[[2]string{"purge", "object_locked"}] != 1 {
		t.Errorf("%v", counts)
	}
}

func TestAHoldReachesTheObjectStoreAndLeavesItAgain(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	held, other := w.drafted(), w.drafted()
	h, _, err := w.svc.SetHold(ctx, w.as("compliance"), keeping.OfDictation, held, "A request for records.")
	w.must(err)
	_, _, err = w.svc.SetHold(ctx, w.as("compliance"), keeping.OfDictation, held, "Twice.")
	wantFault(t, err, fault.Conflict, "held_already")
	w.must(w.purger().Holds(ctx))
	row := func(id uuid.UUID, rendition ...string) keeping.Recording {
		a := w.audio(id, append(rendition, pipeline.Original)[0])
		return keeping.Recording{ID: a.ID, PracticeID: w.practice, Key: a.Key, VersionID: a.VersionID}
	}
	wantFault(t, w.vault.Purge(ctx, row(held)), fault.Conflict, keeping.CodeLocked)
	// A rendition that is made again is another object, and held as well.
	w.must(w.remake(ctx, keeping.Finding{PracticeID: w.practice, DictationID: held}))
	w.must(w.purger().Holds(ctx))
	wantFault(t, w.vault.Purge(ctx, row(held, pipeline.Playback)), fault.Conflict, keeping.CodeLocked)
	_, err = w.svc.LiftHold(ctx, w.as("compliance"), h.ID, "Answered.")
	w.must(err)
	_, err = w.svc.LiftHold(ctx, w.as("compliance"), h.ID, "Answered.")
	wantFault(t, err, fault.NotFound, "not_found")
	w.must(w.purger().Holds(ctx))
	w.must(w.vault.Purge(ctx, row(held)))
	w.must(w.vault.Purge(ctx, row(other)))
	all, err := w.svc.Holds(ctx, w.as("compliance"))
	w.must(err)
	if len(all) != 1 || all[0].LiftedName != w.people["compliance"].Name || all[0].LiftReason != "Answered." {
		t.Errorf("%+v", all)
	}
}
