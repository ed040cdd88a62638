package audit_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"vesper/internal/audit"
)

// logbook is a log as a sequencer leaves it: entries, signed checkpoints and the key to verify them.
type logbook struct {
	entries     []audit.Entry
	checkpoints [][]byte
	vkey, skey  string
}

func newKey(t interface{ Fatal(...any) }) (skey, vkey string) {
	skey, vkey, err := audit.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return skey, vkey
}

func event(n int) audit.Event {
	e := audit.Event{
		ID: uuid.NewSHA1(uuid.NameSpaceOID, []byte{byte(n), byte(n >> 8)}), PracticeID: uuid.NameSpaceDNS, At: time.Unix(int64(1_700_000_000+n), 123_456_000).UTC(),
		ActorID: uuid.NameSpaceURL, ActorRole: "editor", Action: "note.edit", Subject: "dictation", SubjectID: uuid.NameSpaceX500, Outcome: "done", RequestID: "r",
	}
	if n%2 == 0 {
		e.Detail = map[string]string{"version": "3", "content_sha256": strings.Repeat("ab", 32)}
	}
	return e
}

// write makes an honest log with checkpoints at these sizes; the last one always covers everything.
func write(t interface{ Fatal(...any) }, events []audit.Event, sizes []int) logbook {
	b := logbook{}
	b.skey, b.vkey = newKey(t)
	hashes := map[int64]tlog.Hash{}
	read := tlog.HashReaderFunc(func(idx []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, i := range idx {
			out = append(out, hashes[i])
		}
		return out, nil
	})
	for i, e := range events {
		leaf, err := e.Leaf()
		if err != nil {
			t.Fatal(err)
		}
		b.entries = append(b.entries, audit.Entry{Seq: int64(i), Leaf: leaf, Event: e})
		stored, err := tlog.StoredHashesForRecordHash(int64(i), leaf, read)
		if err != nil {
			t.Fatal(err)
		}
		for j, h := range stored {
			hashes[tlog.StoredHashIndex(0, int64(i))+int64(j)] = h
		}
		if slices.Contains(sizes, i+1) || i+1 == len(events) {
			root, err := tlog.TreeHash(int64(i+1), read)
			if err != nil {
				t.Fatal(err)
			}
			signed, err := audit.Checkpoint{Size: int64(i + 1), Root: root}.Sign(b.skey)
			if err != nil {
				t.Fatal(err)
			}
			b.checkpoints = append(b.checkpoints, signed)
		}
	}
	return b
}

func (b logbook) verify(t interface{ Fatal(...any) }) audit.Report {
	v := audit.NewVerifier(b.checkpoints, b.vkey)
	for _, e := range b.entries {
		if err := v.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	r, err := v.Finish(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// honest draws an honest log.
func honest(t *rapid.T) logbook {
	n := rapid.IntRange(1, 40).Draw(t, "events")
	var events []audit.Event
	for i := range n {
		events = append(events, event(i))
	}
	return write(t, events, rapid.SliceOf(rapid.IntRange(1, n)).Draw(t, "checkpoints"))
}

func TestAnHonestLogVerifies(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := honest(t)
		r := b.verify(t)
		if !r.OK() || r.Events != int64(len(b.entries)) || r.Checkpoints != len(b.checkpoints) {
			t.Fatalf("report %+v", r)
		}
		last, err := audit.OpenCheckpoint(b.checkpoints[len(b.checkpoints)-1], b.vkey)
		if err != nil || last.Root != r.Root {
			t.Fatalf("the root is %s, signed was %s", r.Root, last.Root)
		}
	})
}

// tamper changes the log in a random way that an intruder with the whole database, but not the key, could choose. The leaf
// hashes and numbers are made to fit as well as they can be.
func tamper(t *rapid.T, b *logbook) string {
	n := len(b.entries)
	at := rapid.IntRange(0, n-1).Draw(t, "at")
	renumber := func() {
		for i := range b.entries {
			b.entries[i].Seq = int64(i)
		}
	}
	how := rapid.SampledFrom([]string{"edit", "edit and rehash", "delete", "delete and renumber", "swap", "insert", "append", "truncate", "forge checkpoint", "drop checkpoints"}).Draw(t, "how")
	switch how {
	case "edit", "edit and rehash":
		edit(t, &b.entries[at].Event)
		if how == "edit and rehash" {
			b.entries[at].Leaf, _ = b.entries[at].Event.Leaf()
		}
	case "delete":
		b.entries = slices.Delete(b.entries, at, at+1)
	case "delete and renumber":
		b.entries = slices.Delete(b.entries, at, at+1)
		renumber()
	case "swap":
		other := rapid.IntRange(0, n-1).Draw(t, "other")
		if other == at {
			return ""
		}
		b.entries[at], b.entries[other] = b.entries[other], b.entries[at]
		renumber()
	case "insert", "append":
		if how == "append" {
			at = n
		}
		forged := audit.Entry{Event: event(1000)}
		forged.Leaf, _ = forged.Event.Leaf()
		b.entries = slices.Insert(b.entries, at, forged)
		renumber()
	case "truncate":
		b.entries = b.entries[:at]
	case "forge checkpoint":
		// The log is changed and signed anew, with another key.
		edit(t, &b.entries[at].Event)
		var events []audit.Event
		for _, e := range b.entries {
			events = append(events, e.Event)
		}
		forged := write(t, events, nil)
		b.entries, b.checkpoints = forged.entries, forged.checkpoints
	case "drop checkpoints":
		b.checkpoints = b.checkpoints[:len(b.checkpoints)-1]
	}
	return how
}

// edit changes one field of an event.
func edit(t *rapid.T, e *audit.Event) {
	switch rapid.IntRange(0, 9).Draw(t, "field") {
	case 0:
		e.ID = uuid.NameSpaceURL
	case 1:
		e.PracticeID = uuid.NameSpaceURL
	case 2:
		e.At = e.At.Add(time.Microsecond)
	case 3:
		e.ActorID = uuid.NameSpaceDNS
	case 4:
		e.ActorRole += "x"
	case 5:
		e.Action = "note.view"
	case 6:
		e.SubjectID = uuid.NameSpaceDNS
	case 7:
		e.Outcome = "refused"
	case 8:
		e.RequestID += "x"
	case 9:
		e.Detail = map[string]string{"version": "4"}
	}
}

func TestAnyChangeOfTheLogIsFound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := honest(t)
		how := tamper(t, &b)
		if how == "" {
			return
		}
		if r := b.verify(t); r.OK() {
			t.Fatalf("%s was not found: %+v", how, r)
		}
	})
}

func TestALogThatGrowsWhileItIsReadIsCoveredByLaterCheckpoints(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := honest(t)
		early := rapid.IntRange(0, len(b.checkpoints)-1).Draw(t, "read before")
		read := rapid.IntRange(0, len(b.entries)).Draw(t, "entries read")
		v := audit.NewVerifier(b.checkpoints[:early], b.vkey)
		first, _ := audit.OpenCheckpoint(b.checkpoints[max(early-1, 0)], b.vkey)
		if early > 0 {
			read = max(read, int(first.Size))
		}
		// The sequencer adds and signs at once: what was read ends at a checkpoint.
		for !slices.ContainsFunc(b.checkpoints, func(raw []byte) bool {
			c, err := audit.OpenCheckpoint(raw, b.vkey)
			return err == nil && c.Size == int64(read)
		}) && read < len(b.entries) {
			read++
		}
		for _, e := range b.entries[:read] {
			if err := v.Add(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := v.Cover(b.checkpoints, b.vkey); err != nil {
			t.Fatal(err)
		}
		r, err := v.Finish(context.Background())
		if err != nil || !r.OK() {
			t.Fatalf("%d of %d entries, %d of %d checkpoints: %+v %v", read, len(b.entries), early, len(b.checkpoints), r, err)
		}
	})
}

func TestALaterCheckpointThatContradictsTheLogIsFound(t *testing.T) {
	t.Parallel()
	b := write(t, []audit.Event{event(1), event(2), event(3)}, nil)
	other, err := audit.Checkpoint{Size: 2, Root: tlog.Hash{1}}.Sign(b.skey)
	if err != nil {
		t.Fatal(err)
	}
	v := audit.NewVerifier(nil, b.vkey)
	for _, e := range b.entries {
		if err := v.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.Cover(append([][]byte{other}, b.checkpoints...), b.vkey); err != nil {
		t.Fatal(err)
	}
	if r, err := v.Finish(context.Background()); err != nil || r.OK() {
		t.Errorf("report %+v %v", r, err)
	}
}

func TestAnEmptyLogIsWhole(t *testing.T) {
	t.Parallel()
	_, vkey := newKey(t)
	if r := (logbook{vkey: vkey}).verify(t); !r.OK() || r.Events != 0 {
		t.Errorf("report %+v", r)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := audit.NewVerifier(nil, vkey).Finish(ctx); err == nil {
		t.Error("a cancelled verification gives a report")
	}
}

func TestTheLeafDependsOnEveryFieldAndOnNothingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := event(rapid.IntRange(0, 1000).Draw(t, "n"))
		same := e
		same.At = e.At.In(time.FixedZone("east", 3600)).Add(time.Duration(rapid.IntRange(0, 999).Draw(t, "nanoseconds")))
		if len(e.Detail) == 0 {
			same.Detail = map[string]string{}
		}
		a, err := e.Leaf()
		if err != nil {
			t.Fatal(err)
		}
		if b, err := same.Leaf(); err != nil || a != b {
			t.Fatalf("the same event has two leaves: %v", err)
		}
		edit(t, &e)
		if b, _ := e.Leaf(); a == b && !sameEvent(e, same) {
			t.Fatal("an edited event has the same leaf")
		}
	})
}

func sameEvent(a, b audit.Event) bool {
	x, _ := a.Canonical()
	y, _ := b.Canonical()
	return bytes.Equal(x, y)
}

func TestTheCanonicalFormStaysAsItIs(t *testing.T) {
	t.Parallel()
	e := event(2)
	e.ID = uuid.NameSpaceOID
	got, err := e.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"action":"note.edit","actor_id":"6ba7b811-9dad-11d1-80b4-00c04fd430c8","actor_role":"editor","at":"2023-11-14T22:13:22.123456Z","detail":{"content_sha256":"abababababababababababababababababababababababababababababababab","version":"3"},"id":"6ba7b812-9dad-11d1-80b4-00c04fd430c8","outcome":"done","practice_id":"6ba7b810-9dad-11d1-80b4-00c04fd430c8","request_id":"r","subject":"dictation","subject_id":"6ba7b814-9dad-11d1-80b4-00c04fd430c8"}`
	if string(got) != want {
		t.Errorf("logs that are signed already would not verify any more:\n got %s\nwant %s", got, want)
	}
}

func TestACheckpointIsReadBackAndBoundToItsKey(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		skey, vkey := newKey(t)
		c := audit.Checkpoint{Size: rapid.Int64Range(0, 1<<50).Draw(t, "size"), Root: tlog.RecordHash(rapid.SliceOf(rapid.Byte()).Draw(t, "root"))}
		signed, err := c.Sign(skey)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := audit.OpenCheckpoint(signed, vkey); err != nil || got != c {
			t.Fatalf("read back %+v, %v", got, err)
		}
		_, other := newKey(t)
		if _, err := audit.OpenCheckpoint(signed, other); err == nil {
			t.Fatal("another key opens it")
		}
		at := rapid.IntRange(0, len(signed)-1).Draw(t, "byte")
		changed := bytes.Clone(signed)
		changed[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		if got, err := audit.OpenCheckpoint(changed, vkey); err == nil && got != c {
			t.Fatalf("a changed checkpoint says %+v", got)
		}
	})
}

func FuzzOpenCheckpoint(f *testing.F) {
	skey, vkey, err := audit.NewKey()
	if err != nil {
		f.Fatal(err)
	}
	good, err := audit.Checkpoint{Size: 7, Root: tlog.RecordHash([]byte("x"))}.Sign(skey)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("vesper-audit\n7\n\n\n— vesper-audit \n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if c, err := audit.OpenCheckpoint(raw, vkey); err == nil && c.Size != 7 {
			t.Fatalf("nobody signed %+v", c)
		}
	})
}
