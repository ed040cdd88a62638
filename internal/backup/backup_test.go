package backup_test

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"filippo.io/age"
	"github.com/google/uuid"

	"vesper/internal/audit"
	"vesper/internal/backup"
	"vesper/internal/fault"
)

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if err == nil || fault.As(err).Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

// house is an installation in memory: source and target.
type house struct {
	dump      []byte
	objects   map[string][]byte
	ids       map[string]uuid.UUID
	records   map[int64]string
	cut       error // of the object store, in the middle of an object
	lost, bad string
	loadErr   error
}

func newHouse(objects int) *house {
	h := &house{dump: noise(9<<20 + 17), objects: map[string][]byte{}, ids: map[string]uuid.UUID{}, records: map[int64]string{3: "three", 5: "five"}}
	for i := range objects {
		key := fmt.Sprintf("practice/p/audio/%05d", i)
		h.objects[key], h.ids[key] = noise(100+i%7), uuid.Must(uuid.NewV7())
	}
	return h
}

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = crand.Read(b) // never fails
	return b
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func (h *house) Dump(_ context.Context, to io.Writer) error {
	for at := 0; at < len(h.dump); at += 100_003 {
		if _, err := to.Write(h.dump[at:min(len(h.dump), at+100_003)]); err != nil {
			return err
		}
	}
	return nil
}

func (h *house) Recordings(_ context.Context, fn func(uuid.UUID, string, string) error) error {
	for i := range len(h.ids) {
		key := fmt.Sprintf("practice/p/audio/%05d", i)
		if err := fn(h.ids[key], key, ""); err != nil {
			return err
		}
	}
	return nil
}

func (h *house) Open(_ context.Context, key, _ string) (backup.Object, error) {
	b := h.objects[key]
	o := backup.Object{ReadCloser: io.NopCloser(bytes.NewReader(b)), Size: int64(len(b)), Metadata: map[string]string{"Vesper-Audio": h.ids[key].String()}, SHA256: sum(b)}
	switch {
	case key == h.lost:
		return o, fault.New(fault.NotFound, "audio_not_found", "It is not there.")
	case key == h.bad:
		o.SHA256 = sum([]byte("other"))
	case h.cut != nil:
		o.ReadCloser = io.NopCloser(io.MultiReader(bytes.NewReader(b[:10]), failing{h.cut}))
	}
	return o, nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func (h *house) Checkpoints(_ context.Context, upTo int64, fn func(int64, []byte) error) error {
	for _, size := range []int64{3, 5, 7} {
		if size <= upTo {
			if err := fn(size, []byte(h.records[size])); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *house) Load(_ context.Context, dump io.Reader) (err error) {
	if h.loadErr != nil {
		_, _ = io.CopyN(io.Discard, dump, 1000)
		return h.loadErr
	}
	h.dump, err = io.ReadAll(dump)
	return err
}

func (h *house) PutRecording(_ context.Context, rec backup.Recording, size int64, r io.Reader) error {
	b, err := io.ReadAll(r)
	if err == nil && int64(len(b)) != size {
		err = errors.New("another size")
	}
	h.objects[rec.Key], h.ids[rec.Key] = b, rec.ID
	return err
}

func (h *house) PutCheckpoint(_ context.Context, size int64, signed []byte) error {
	h.records[size] = string(signed)
	return nil
}

// pair is a lock and its key that cost no time; passphrases are tried once below.
func pair(t *testing.T) (backup.Lock, backup.Key) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	lock, err := backup.RecipientLock([]string{id.Recipient().String()})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := backup.IdentityKey(path)
	if err != nil {
		t.Fatal(err)
	}
	return lock, key
}

func source(h *house) backup.Source {
	return backup.Source{
		Header: backup.Header{Program: "v1", Schema: 18, Postgres: 15, Tables: map[string]int64{"notes": 3}, Checkpoint: &backup.Checkpoint{Size: 5}},
		Files:  map[string][]byte{"secrets/master_key": []byte("key"), "vocabulary/a/b.tsv": []byte("term")}, Snapshot: h, Objects: h,
	}
}

func (h *house) save(t *testing.T, lock backup.Lock) ([]byte, backup.Manifest) {
	t.Helper()
	var out bytes.Buffer
	m, err := backup.Make(t.Context(), &out, lock, source(h))
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), m
}

func extract(t *testing.T, in io.Reader, key backup.Key, into *house, dir string) (backup.Manifest, error) {
	t.Helper()
	r, err := backup.NewReader(t.Context(), in, key)
	if err != nil {
		return backup.Manifest{}, err
	}
	return backup.Extract(t.Context(), r, dir, func(context.Context) (backup.Target, error) { return into, nil }, func(string, int64, int64) {})
}

func empty() *house {
	return &house{objects: map[string][]byte{}, ids: map[string]uuid.UUID{}, records: map[int64]string{}}
}

func TestWhatIsSavedComesBackUnchanged(t *testing.T) {
	t.Parallel()
	lock, key := pair(t)
	h := newHouse(2345) // more than two manifests
	h.records[7] = "signed after the snapshot"
	file, m := h.save(t, lock)
	back, dir := empty(), t.TempDir()
	got, err := extract(t, bytes.NewReader(file), key, back, dir)
	if err != nil {
		t.Fatal(err)
	}
	if got.Recordings != 2345 || got.Manifests < 3 || got.Chain != m.Chain || got.Checkpoints != 2 {
		t.Errorf("manifest %+v", got)
	}
	if !bytes.Equal(back.dump, h.dump) || len(back.objects) != len(h.objects) {
		t.Errorf("the dump has %d bytes of %d, %d objects", len(back.dump), len(h.dump), len(back.objects))
	}
	for k, b := range h.objects {
		if !bytes.Equal(back.objects[k], b) || back.ids[k] != h.ids[k] {
			t.Fatalf("%s differs", k)
		}
	}
	if len(back.records) != 2 || back.records[5] != "five" {
		t.Errorf("checkpoints %v", back.records)
	}
	if raw, err := os.ReadFile(filepath.Join(dir, "secrets", "master_key")); err != nil || string(raw) != "key" {
		t.Errorf("%q %v", raw, err)
	}
	if raw, err := os.ReadFile(filepath.Join(dir, "vocabulary", "a", "b.tsv")); err != nil || string(raw) != "term" {
		t.Errorf("%q %v", raw, err)
	}
}

func TestAnArchiveThatWasTouchedIsRefusedWhereverItWas(t *testing.T) {
	t.Parallel()
	lock, key := pair(t)
	h := newHouse(30)
	h.dump = noise(300_000)
	file, _ := h.save(t, lock)
	refused := func(what string, b []byte) {
		t.Helper()
		_, err := extract(t, bytes.NewReader(b), key, empty(), t.TempDir())
		if err == nil {
			t.Errorf("%s: restored as whole", what)
			return
		}
		if code := fault.As(err).Code; code != "backup_damaged" && code != "backup_truncated" && code != "backup_locked" {
			t.Errorf("%s: %v", what, err)
		}
	}
	for range 60 {
		at := rand.IntN(len(file))
		flipped := bytes.Clone(file)
		flipped[at] ^= 1 << rand.IntN(8)
		refused(fmt.Sprintf("bit at %d flipped", at), flipped)
		refused(fmt.Sprintf("cut at %d", at), file[:at])
	}
	for _, at := range []int{0, 1, len(file) / 2, len(file) - 1} {
		refused(fmt.Sprintf("cut at %d", at), file[:at])
	}
	refused("something appended", append(bytes.Clone(file), 'x'))
	const chunk = 64<<10 + 16
	for _, at := range []int{len(file) % chunk, len(file)%chunk + chunk} { // whole pieces of the encryption are missing at the end
		refused("cut between pieces", file[:at])
	}
}

func TestAPassphraseOpensAndAnotherDoesNot(t *testing.T) {
	t.Parallel()
	_, err := backup.PassphraseLock("too short")
	wantCode(t, err, "passphrase_short")
	lock, err := backup.PassphraseLock("long enough, surely")
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(1)
	file, _ := h.save(t, lock)
	for pass, code := range map[string]string{"long enough, surely": "", "long enough, surely?": "backup_locked"} {
		key, err := backup.PassphraseKey(pass)
		if err != nil {
			t.Fatal(err)
		}
		_, err = backup.NewReader(t.Context(), bytes.NewReader(file), key)
		if code == "" && err != nil {
			t.Error(err)
		} else if code != "" {
			wantCode(t, err, code)
		}
	}
	_, err = backup.RecipientLock([]string{"age1nonsense"})
	wantCode(t, err, "recipient_invalid")
}

func TestMissingAndDamagedRecordingsAreNamedAndStopNothing(t *testing.T) {
	t.Parallel()
	lock, key := pair(t)
	h := newHouse(5)
	h.lost, h.bad = "practice/p/audio/00001", "practice/p/audio/00003"
	file, m := h.save(t, lock)
	if len(m.Damaged) != 2 || m.Recordings != 4 || m.Damaged[0].ID != h.ids[h.lost] || m.Damaged[1].ID != h.ids[h.bad] {
		t.Errorf("%+v", m)
	}
	got, err := extract(t, bytes.NewReader(file), key, empty(), t.TempDir())
	if err != nil || len(got.Damaged) != 2 {
		t.Errorf("%+v %v", got, err)
	}
}

func TestWhatIsPurgedWhileTheBackupIsMadeIsLeftOut(t *testing.T) {
	t.Parallel()
	lock, key := pair(t)
	h := newHouse(5)
	h.lost = "practice/p/audio/00001"
	var asked []uuid.UUID
	src := source(h)
	src.Purged = func(_ context.Context, id uuid.UUID) (bool, error) {
		asked = append(asked, id)
		return true, nil
	}
	var out bytes.Buffer
	m, err := backup.Make(t.Context(), &out, lock, src)
	if err != nil || len(m.Damaged) != 0 || m.Recordings != 4 || !slices.Equal(m.Purged, []uuid.UUID{h.ids[h.lost]}) || !slices.Equal(asked, m.Purged) {
		t.Fatalf("%+v %v, asked for %v", m, err, asked)
	}
	got, err := extract(t, &out, key, empty(), t.TempDir())
	if err != nil || !slices.Equal(got.Purged, m.Purged) {
		t.Fatalf("%+v %v", got, err)
	}
	missing := func(_ context.Context, fn func(uuid.UUID, error) error) error {
		return errors.Join(fn(uuid.New(), nil), fn(h.ids[h.lost], fault.New(fault.NotFound, "audio_not_found", "")))
	}
	if c, err := backup.CheckRecordings(t.Context(), got, missing); err != nil || len(c.Findings) != 0 || len(c.Known) != 1 {
		t.Errorf("the restored folder differs: %+v %v", c, err)
	}
	src.Purged = func(context.Context, uuid.UUID) (bool, error) {
		return false, fault.New(fault.Unavailable, "database_unavailable", "It is away.")
	}
	_, err = backup.Make(t.Context(), io.Discard, lock, src)
	wantCode(t, err, "database_unavailable")
}

func TestAnObjectStoreThatBreaksOffOrADiskThatIsFullEndsTheBackup(t *testing.T) {
	t.Parallel()
	lock, _ := pair(t)
	h := newHouse(3)
	h.cut = fault.New(fault.Unavailable, "object_store_unavailable", "Away.")
	_, err := backup.Make(t.Context(), io.Discard, lock, source(h))
	wantCode(t, err, "object_store_unavailable")
	_, err = backup.Make(t.Context(), &small{left: 5 << 20}, lock, source(newHouse(3)))
	wantCode(t, err, "disk_full")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = backup.Make(ctx, io.Discard, lock, source(newHouse(3)))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("told to stop: %v", err)
	}
}

func TestARestoreThatIsStoppedDoesNotBlameTheFile(t *testing.T) {
	t.Parallel()
	lock, key := pair(t)
	file, _ := newHouse(3).save(t, lock)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := backup.NewReader(ctx, bytes.NewReader(file), key)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Each(func(backup.Member) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) || fault.As(err).Code == "backup_damaged" {
		t.Errorf("told to stop: %v", err)
	}
}

// small is a disk with little space.
type small struct{ left int }

func (s *small) Write(p []byte) (int, error) {
	if s.left -= len(p); s.left < 0 {
		return 0, &os.PathError{Op: "write", Path: "b", Err: syscall.ENOSPC}
	}
	return len(p), nil
}

func TestADatabaseThatCannotBeLoadedEndsTheRestore(t *testing.T) {
	t.Parallel()
	lock, key := pair(t)
	file, _ := newHouse(3).save(t, lock)
	into := empty()
	into.loadErr = fault.New(fault.Unavailable, "disk_full", "Full.")
	_, err := extract(t, bytes.NewReader(file), key, into, t.TempDir())
	wantCode(t, err, "disk_full")
	if len(into.objects) != 0 {
		t.Error("it went on")
	}
}

func TestANewerArchiveIsRefusedBeforeAnythingIsTouched(t *testing.T) {
	t.Parallel()
	h := backup.Header{Schema: 18, Postgres: 15, Program: "v2"}
	wantCode(t, h.Fits(17, 15), "schema_new")
	wantCode(t, h.Fits(18, 14), "postgres_too_old")
	if err := h.Fits(20, 17); err != nil {
		t.Error(err)
	}
}

func TestMemoryDoesNotGrowWithTheArchive(t *testing.T) {
	lock, key := pair(t)
	big := newHouse(0)
	big.dump = nil
	out, in := io.Pipe()
	go func() {
		src := source(big)
		src.Snapshot, src.Objects = endless{200 << 20}, big
		_, err := backup.Make(context.Background(), in, lock, src)
		in.CloseWithError(err)
	}()
	r, err := backup.NewReader(t.Context(), out, key)
	if err != nil {
		t.Fatal(err)
	}
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	var worst uint64
	_, err = r.Each(func(backup.Member) error {
		runtime.ReadMemStats(&now)
		worst = max(worst, now.HeapAlloc)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if grown := int64(worst) - int64(before.HeapAlloc); grown > 100<<20 {
		t.Errorf("200 MB through both sides take %d MB", grown>>20)
	}
}

// endless is a snapshot with a large dump.
type endless struct{ size int }

func (e endless) Dump(_ context.Context, to io.Writer) error {
	b := make([]byte, 1<<20)
	for n := 0; n < e.size; n += len(b) {
		if _, err := to.Write(b); err != nil {
			return err
		}
	}
	return nil
}

func (endless) Recordings(context.Context, func(uuid.UUID, string, string) error) error { return nil }

func TestTheChecksFindEveryDifference(t *testing.T) {
	t.Parallel()
	skey, vkey, err := audit.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	entries, signed := record(t, skey, 5)
	h := backup.Header{Tables: map[string]int64{"notes": 3, "people": 2}, Checkpoint: signed}
	if c := backup.CheckTables(h, map[string]int64{"notes": 3, "people": 2}); len(c.Findings) != 0 {
		t.Errorf("%+v", c)
	}
	if c := backup.CheckTables(h, map[string]int64{"notes": 4, "other": 1}); len(c.Findings) != 3 {
		t.Errorf("%+v", c)
	}
	log := func(entries []audit.Entry, h backup.Header, key string) int {
		c, err := backup.CheckLog(t.Context(), h, key, nil, func(_ context.Context, fn func(audit.Entry) error) error {
			for _, e := range entries {
				if err := fn(e); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return len(c.Findings)
	}
	if n := log(entries, h, vkey); n != 0 {
		t.Errorf("a whole log has %d findings", n)
	}
	changed := append([]audit.Entry{}, entries...)
	changed[2].Event.Outcome = "refused"
	_, other, err := audit.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	forged := h
	forged.Checkpoint = &backup.Checkpoint{Size: signed.Size, Root: strings.Repeat("A", 44), Signed: signed.Signed}
	for name, n := range map[string]int{
		"cut": log(entries[:4], h, vkey), "changed": log(changed, h, vkey), "another key": log(entries, h, other), "another root": log(entries, forged, vkey),
	} {
		if n == 0 {
			t.Errorf("%s: nothing found", name)
		}
	}
	lost, bad := uuid.New(), uuid.New()
	each := func(_ context.Context, fn func(uuid.UUID, error) error) error {
		return errors.Join(fn(uuid.New(), nil), fn(lost, fault.New(fault.NotFound, "audio_not_found", "")), fn(bad, fault.New(fault.Internal, "audio_corrupt", "")))
	}
	c, err := backup.CheckRecordings(t.Context(), backup.Manifest{Damaged: []backup.Damage{{ID: lost, What: "missing"}}}, each)
	if err != nil || len(c.Findings) != 1 || len(c.Known) != 1 {
		t.Errorf("%+v %v", c, err)
	}
	_, err = backup.CheckRecordings(t.Context(), backup.Manifest{}, func(_ context.Context, fn func(uuid.UUID, error) error) error {
		return fn(lost, fault.New(fault.Unavailable, "object_store_unavailable", ""))
	})
	wantCode(t, err, "object_store_unavailable")
}
