package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/pipeline/keeping"
	"vesper/storage/objects"
	"vesper/storage/objects/objectstest"
)

// checker compares the world's store and database, two days from now: what was stored today is no upload under way then.
func (w *world) checker(change ...func(*keeping.Checker)) *keeping.Checker {
	c := &keeping.Checker{
		Store: w.work, Objects: w.vault.Store, Log: slog.New(slog.NewTextHandler(w.logs, nil)),
		Now: func() time.Time { return time.Now().Add(48 * time.Hour) },
	}
	for _, f := range change {
		f(c)
	}
	return c
}

func (w *world) check(mode keeping.Mode, change ...func(*keeping.Checker)) keeping.Run {
	w.Helper()
	run, err := w.checker(change...).Run(context.Background(), keeping.Options{Mode: mode, By: "operator"})
	w.must(err)
	return run
}

// harm is a hand in the world's bucket.
func (w *world) harm() *objectstest.Harm {
	w.Helper()
	b := w.bucket
	return objectstest.New(w, b.Host(), b.Region, b.AccessKey, b.SecretKey, b.Name)
}

// standing are the findings that are not mended, as kind and name.
func (w *world) standing() map[keeping.Kind][]string {
	w.Helper()
	all, err := w.work.Standing(context.Background(), keeping.Kinds())
	w.must(err)
	out := map[keeping.Kind][]string{}
	for _, f := range all {
		out[f.Kind] = append(out[f.Kind], f.Key)
	}
	return out
}

// audio is a recording's row.
func (w *world) audio(dictation uuid.UUID, rendition string) (a pipeline.Audio) {
	w.Helper()
	w.in(func(ctx context.Context, tx pipeline.Tx) (err error) {
		a, err = tx.AudioOf(ctx, dictation, rendition)
		return err
	})
	return a
}

func TestACheckOfWhatIsInOrderFindsNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for range 3 {
		w.drafted()
	}
	w.submit()
	w.must(w.keeper.SequenceOnce(context.Background()))
	for _, mode := range []keeping.Mode{keeping.Quick, keeping.Deep} {
		run := w.check(mode)
		if run.Objects != 7 || run.Found != 0 || run.FinishedAt.IsZero() {
			t.Errorf("%s: %+v", mode, run)
		}
		if read := run.Bytes > 0; read != (mode == keeping.Deep) {
			t.Errorf("%s has read %d bytes", mode, run.Bytes)
		}
	}
}

// TestEveryHarmIsFoundByNameAndNothingElse does each harm to a recording of its own.
func TestEveryHarmIsFoundByNameAndNothingElse(t *testing.T) {
	t.Parallel()
	w := setup(t)
	harm := w.harm()
	ctx := context.Background()
	want := map[keeping.Kind][]string{}
	expect := func(k keeping.Kind, key string) { want[k] = append(want[k], key) }
	hurt := func(k keeping.Kind, rendition string, how func(a pipeline.Audio)) pipeline.Audio {
		a := w.audio(w.drafted(), rendition)
		how(a)
		expect(k, a.Key)
		return a
	}
	w.drafted() // one stays whole
	w.must(w.keeper.SequenceOnce(ctx))
	hurt(keeping.Missing, pipeline.Original, func(a pipeline.Audio) { harm.Remove(a.Key, a.VersionID) })
	hurt(keeping.PlaybackMissing, pipeline.Playback, func(a pipeline.Audio) { harm.Remove(a.Key, a.VersionID) })
	hurt(keeping.Covered, pipeline.Original, func(a pipeline.Audio) { harm.Cover(a.Key) })
	replaced := hurt(keeping.VersionMissing, pipeline.Original, func(a pipeline.Audio) {
		harm.Plant(a.Key, []byte("another"))
		harm.Remove(a.Key, a.VersionID)
	})
	expect(keeping.Orphan, replaced.Key)
	hurt(keeping.Orphan, pipeline.Original, func(a pipeline.Audio) { harm.Plant(a.Key, []byte("beside")) })
	hurt(keeping.WrongSize, pipeline.Original, func(a pipeline.Audio) {
		testkit.Exec(t, w.admin, `SET session_replication_role = replica; UPDATE audio_objects SET size = size + 1 WHERE id = '`+a.ID.String()+`'`)
	})
	hurt(keeping.Damaged, pipeline.Original, func(a pipeline.Audio) {
		version := harm.Flip(a.Key)
		testkit.Exec(t, w.admin, `SET session_replication_role = replica; UPDATE audio_objects SET version_id = '`+version+`' WHERE id = '`+a.ID.String()+`'`)
		harm.Remove(a.Key, a.VersionID)
	})
	hurt(keeping.Undecryptable, pipeline.Original, func(a pipeline.Audio) {
		testkit.Exec(t, w.admin, `SET session_replication_role = replica;
			UPDATE audio_objects SET sealed_key = set_byte(sealed_key, 3, get_byte(sealed_key, 3) # 1) WHERE id = '`+a.ID.String()+`'`)
	})
	for _, key := range []string{"practice/" + newID().String() + "/audio/x", "somewhere/else", "loose", "practice/" + w.practice.String() + "/other", "audit/else"} {
		harm.Plant(key, []byte("x"))
		expect(keeping.Orphan, key)
	}
	nobodys, err := w.vault.Store.Put(ctx, objects.PutRequest{Practice: w.practice, AudioID: newID(), Size: -1, Reader: bytes.NewReader(tone())})
	w.must(err)
	expect(keeping.Orphan, nobodys.Key)
	w.must(w.keeper.SequenceOnce(ctx))
	points, err := w.work.CheckpointRows(ctx, 0, 10)
	w.must(err)
	if len(points) < 2 {
		t.Fatalf("%d checkpoints", len(points))
	}
	w.removeCheckpoint(harm, points[0].Size)
	expect(keeping.CheckpointMissing, w.checkpointKey(points[0].Size))
	harm.Plant(w.checkpointKey(points[1].Size), bytes.Repeat([]byte{'x'}, len(points[1].Signed)))
	expect(keeping.CheckpointDiffers, w.checkpointKey(points[1].Size))
	harm.Plant(w.checkpointKey(1<<40), []byte("from another life"))
	expect(keeping.CheckpointUnknown, w.checkpointKey(1<<40))

	before := w.count()
	first := w.check(keeping.Deep)
	w.wantFindings(want)
	if n := w.count() - before; n != int(first.Found) {
		t.Errorf("%d events of %d findings", n, first.Found)
	}
	before = w.count()
	w.check(keeping.Deep)
	w.wantFindings(want)
	if n := w.count() - before; n != 0 {
		t.Errorf("finding the same again left %d events", n)
	}
	w.check(keeping.Quick) // sees less, and takes nothing for mended that it cannot see
	delete(want, keeping.CheckpointDiffers)
	w.wantFindings(want)
	if strings.Contains(w.logs.String(), canary) {
		t.Error("the patient's name is in the log")
	}

	// What can be mended without a person is; what cannot, stays as it is.
	mender := &keeping.Mender{Store: w.work, Objects: w.vault.Store, Remake: w.remake}
	done, err := mender.Mend(ctx)
	w.must(err)
	for _, m := range done {
		if m.Err != nil {
			t.Errorf("%s %s: %v", m.Kind, m.Key, m.Err)
		}
	}
	for _, k := range keeping.Mendable() {
		delete(want, k)
	}
	w.wantFindings(want)
	w.check(keeping.Quick)
	w.wantFindings(want)
}

func (w *world) remake(ctx context.Context, f keeping.Finding) error {
	m := &pipeline.Remaker{Store: w.work, Objects: w.vault, Decode: w.engine.Decode, TempDir: w.TempDir()}
	return m.Remake(ctx, f.PracticeID, f.DictationID)
}

func (w *world) wantFindings(want map[keeping.Kind][]string) {
	w.Helper()
	got := w.standing()
	for _, k := range keeping.Kinds() {
		slices.Sort(want[k])
		slices.Sort(got[k])
		if !slices.Equal(want[k], got[k]) {
			w.Errorf("%s: found %v, want %v", k, got[k], want[k])
		}
	}
}

func (w *world) checkpointKey(size int64) string {
	return w.vault.CheckpointPrefix() + fmt.Sprintf("%020d", size)
}

func (w *world) removeCheckpoint(harm *objectstest.Harm, size int64) {
	w.Helper()
	for e, err := range w.vault.List(context.Background(), w.checkpointKey(size), "") {
		w.must(err)
		harm.Remove(e.Key, e.VersionID)
	}
}

func TestAnUploadUnderWayIsNoOrphan(t *testing.T) {
	t.Parallel()
	w := setup(t)
	o, err := w.vault.Store.Put(context.Background(), objects.PutRequest{Practice: w.practice, AudioID: newID(), Size: -1, Reader: bytes.NewReader(tone())})
	w.must(err)
	harm := w.harm()
	harm.Plant("elsewhere/x", []byte("x"))
	harm.Plant("arriving/known", []byte("x"))
	harm.Plant("arriving/forgotten", []byte("x"))
	arriving := func(c *keeping.Checker) {
		c.Others = []keeping.Known{{Prefix: "arriving/", Has: func(_ context.Context, keys []string) (map[string]bool, error) {
			return map[string]bool{"arriving/known": true}, nil
		}}}
	}
	w.check(keeping.Quick, arriving, func(c *keeping.Checker) { c.Now = time.Now })
	w.wantFindings(map[keeping.Kind][]string{})
	w.check(keeping.Quick, arriving)
	w.wantFindings(map[keeping.Kind][]string{keeping.Orphan: {o.Key, "elsewhere/x", "arriving/forgotten"}})
}

func TestAFindingIsSettledByAPersonAndMendedByACheck(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	harm := w.harm()
	id := w.drafted()
	a := w.audio(id, pipeline.Original)
	harm.Cover(a.Key)
	w.check(keeping.Quick)
	kept, err := w.svc.Kept(ctx, w.as("admin"))
	w.must(err)
	if len(kept.Findings) != 1 || kept.Findings[0].Kind != keeping.Covered || kept.Findings[0].DictationID != id || len(kept.Runs) != 1 {
		t.Fatalf("%+v", kept)
	}
	f := kept.Findings[0]
	wantFault(t, w.svc.SettleFinding(ctx, w.as("admin"), f.ID, "  "), fault.Invalid, "reason_missing")
	wantFault(t, w.svc.SettleFinding(ctx, w.as("supervisor"), f.ID, "Known."), fault.Forbidden, "forbidden")
	w.must(w.svc.SettleFinding(ctx, w.as("admin"), f.ID, "The store's administrator was told."))
	wantFault(t, w.svc.SettleFinding(ctx, w.as("admin"), f.ID, "Again."), fault.NotFound, "not_found")
	w.check(keeping.Quick) // it stands, settled, and is not raised anew
	kept, err = w.svc.Kept(ctx, w.as("admin"))
	w.must(err)
	if len(kept.Findings) != 1 || kept.Findings[0].SettledName != w.people["admin"].Name {
		t.Fatalf("%+v", kept.Findings)
	}
	w.must(w.vault.Uncover(ctx, a.Key, f.VersionID))
	w.check(keeping.Quick)
	w.wantFindings(map[keeping.Kind][]string{})
	var results []string
	for _, e := range w.events(id) {
		if e.Detail["finding"] == f.ID.String() {
			results = append(results, e.Detail["result"])
		}
	}
	if !slices.Equal(results, []string{"found", "mended"}) {
		t.Errorf("the record says %v", results)
	}
}

// breaking lists a while and then fails once.
type breaking struct {
	keeping.Objects
	after  int
	listed []string
	failed bool
}

func (b *breaking) List(ctx context.Context, prefix, after string) iter.Seq2[keeping.Entry, error] {
	return func(yield func(keeping.Entry, error) bool) {
		for e, err := range b.Objects.List(ctx, prefix, after) {
			if len(b.listed) == b.after && !b.failed {
				b.failed = true
				yield(keeping.Entry{}, fault.New(fault.Unavailable, "object_store_unavailable", "away"))
				return
			}
			b.listed = append(b.listed, e.Key)
			if !yield(e, err) {
				return
			}
		}
	}
}

func TestACheckThatBrokeOffGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	w := setup(t)
	second, err := w.serve.CreatePractice(context.Background(), "Harbor Clinic")
	w.must(err)
	var keys []string
	for range 3 {
		keys = append(keys, w.audio(w.submit(), pipeline.Original).Key)
	}
	harm := w.harm()
	late := "practice/" + second.String() + "/audio/late" // of the practice that comes later
	harm.Plant(late, []byte("x"))
	ctx := context.Background()
	b := &breaking{Objects: w.vault.Store, after: len(keys)} // fails when the second practice is listed
	c := w.checker(func(c *keeping.Checker) { c.Objects = b })
	broken, err := c.Run(ctx, keeping.Options{Mode: keeping.Quick, By: "keeper", TakeUp: true})
	if fault.KindOf(err) != fault.Unavailable {
		t.Fatal(err)
	}
	live, err := c.Run(ctx, keeping.Options{Mode: keeping.Quick, By: "keeper", TakeUp: true})
	w.must(err)
	if live.ID == broken.ID {
		t.Error("a run that saved something just now was taken for broken off")
	}
	testkit.Exec(t, w.admin, `DELETE FROM keep_runs WHERE id <> $1`, broken.ID)
	testkit.Exec(t, w.admin, `UPDATE keep_runs SET saved_at = saved_at - interval '1 hour'`)
	b.listed = nil
	again, err := c.Run(ctx, keeping.Options{Mode: keeping.Quick, By: "keeper", TakeUp: true})
	w.must(err)
	if again.ID != broken.ID || again.Objects != 3 || again.FinishedAt.IsZero() {
		t.Errorf("%+v went on as %+v", broken, again)
	}
	for _, k := range b.listed {
		if slices.Contains(keys, k) {
			t.Errorf("%s was looked at twice", k)
		}
	}
	w.wantFindings(map[keeping.Kind][]string{keeping.Orphan: {late}})
}

func TestTheKeepersSlowCheckReadsEverythingABitAtATime(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var all []string
	for range 4 {
		all = append(all, w.audio(w.submit(), pipeline.Original).Key)
	}
	reads := &counting{Objects: w.vault.Store}
	c := w.checker(func(c *keeping.Checker) { c.Objects, c.Now = reads, time.Now })
	k := &keeping.Keeper{Checker: c, Pace: 1, Log: c.Log} // a byte a minute: one recording each time
	ctx := context.Background()
	for i := range 4 {
		w.must(k.Roll(ctx))
		if len(reads.read) != i+1 {
			t.Fatalf("after %d rounds %d were read", i+1, len(reads.read))
		}
	}
	w.must(k.Roll(ctx)) // comes to the end
	w.must(k.Roll(ctx)) // and rests for a day
	slices.Sort(all)
	if got := slices.Sorted(maps.Keys(reads.read)); !slices.Equal(got, all) {
		t.Errorf("read %v, want %v", got, all)
	}
	run, err := w.work.LastRun(ctx, keeping.Rolling)
	w.must(err)
	if run.FinishedAt.IsZero() || run.Objects != 4 || run.Bytes == 0 {
		t.Errorf("%+v", run)
	}
}

// counting notes what is read through.
type counting struct {
	keeping.Objects
	read map[string]int
}

func (c *counting) Read(ctx context.Context, r keeping.Recording) error {
	if c.read == nil {
		c.read = map[string]int{}
	}
	c.read[r.Key]++
	return c.Objects.Read(ctx, r)
}

// unreadable is a store that cannot give one recording, as with a bad place on a disk; away is one that cannot be reached.
type unreadable struct {
	keeping.Objects
	key  string
	away bool
}

func (u unreadable) Read(ctx context.Context, r keeping.Recording) error {
	if r.Key == u.key {
		return fault.New(fault.Unavailable, "object_store_unavailable", "away")
	}
	return u.Objects.Read(ctx, r)
}

func (u unreadable) Look(ctx context.Context, r keeping.Recording) error {
	if u.away {
		return fault.New(fault.Unavailable, "object_store_unavailable", "away")
	}
	return u.Objects.Look(ctx, r)
}

func TestOneRecordingThatCannotBeReadStopsNoCheckButAStoreThatIsAwayDoes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.submit()
	bad := w.audio(w.submit(), pipeline.Original).Key
	with := func(u unreadable) *keeping.Checker {
		return w.checker(func(c *keeping.Checker) { u.Objects, u.key = w.vault.Store, bad; c.Objects = u })
	}
	if _, err := with(unreadable{away: true}).Run(context.Background(), keeping.Options{Mode: keeping.Deep, By: "operator"}); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a store that is away: %v", err)
	}
	w.wantFindings(map[keeping.Kind][]string{})
	run, err := with(unreadable{}).Run(context.Background(), keeping.Options{Mode: keeping.Deep, By: "operator"})
	if err != nil || run.Objects != 2 {
		t.Errorf("%+v, %v", run, err)
	}
	w.wantFindings(map[keeping.Kind][]string{keeping.Damaged: {bad}})
	w.check(keeping.Deep)
	w.wantFindings(map[keeping.Kind][]string{})
}

func TestOneProcessAtATimeKeepsHouse(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	inner := true
	outer, err := w.work.Exclusive(ctx, "house", func(ctx context.Context) (err error) {
		inner, err = w.work.Exclusive(ctx, "house", func(context.Context) error { return errors.New("two at once") })
		return err
	})
	if err != nil || !outer || inner {
		t.Fatalf("outer %v, inner %v, %v", outer, inner, err)
	}
	if again, err := w.work.Exclusive(ctx, "house", func(context.Context) error { return nil }); err != nil || !again {
		t.Fatalf("after it was over: %v, %v", again, err)
	}
	if _, err := w.serve.Exclusive(ctx, "house", nil); fault.As(err).Code != "database_role_not_worker" {
		t.Errorf("the web server may, too: %v", err)
	}
}
