package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/pipeline/keeping"
	"vesper/storage/objects/objectstest"
	"vesper/storage/postgres"
)

// cupboard is a practice with one recording and its rendition, in a real database and a real store.
type cupboard struct {
	t        *testing.T
	flags    serviceFlags
	db       databaseFlags
	harm     *objectstest.Harm
	practice uuid.UUID
	store    *postgres.Store
}

func newShelf(t *testing.T) *cupboard {
	t.Helper()
	dir, b := t.TempDir(), testkit.S3(t)
	key := filepath.Join(dir, "master_key")
	if err := os.WriteFile(key, []byte(base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))), 0o600); err != nil {
		t.Fatal(err)
	}
	url := strings.Replace(practiceURL(t, "Foxglove"), "vesper_serve:serve-password", "vesper_work:work-password", 1)
	store, err := postgres.Open(t.Context(), url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	practices, err := store.Practices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := &cupboard{
		t: t, db: databaseFlags{url}, practice: practices["Foxglove"], store: store,
		flags: serviceFlags{S3Endpoint: b.Endpoint, S3Region: b.Region, S3AccessKey: b.AccessKey, S3SecretKey: b.SecretKey, S3Bucket: b.Name, MasterKeyFile: key, MaxRecordingBytes: 1 << 20, ScratchDir: dir},
	}
	if _, err := openObjects(t.Context(), s.flags); err != nil { // makes the bucket
		t.Fatal(err)
	}
	s.harm = objectstest.New(t, b.Host(), b.Region, b.AccessKey, b.SecretKey, b.Name)
	return s
}

// record puts a second of silence and its rendition in, and returns their rows.
func (s *cupboard) record(lock keeping.Lock) (original, playback pipeline.Audio) {
	s.t.Helper()
	store, err := openObjects(s.t.Context(), s.flags)
	if err != nil {
		s.t.Fatal(err)
	}
	d, doctor := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	put := func(rendition string, body []byte) pipeline.Audio {
		id := uuid.Must(uuid.NewV7())
		o, err := vault{store, lock}.Put(s.t.Context(), s.practice, id, bytes.NewReader(body), int64(len(body)))
		if err != nil {
			s.t.Fatal(err)
		}
		return pipeline.Audio{ID: id, PracticeID: s.practice, DictationID: d, Rendition: rendition, Key: o.Key, SHA256: o.SHA256, Size: o.Size, SealedKey: o.SealedKey, VersionID: o.VersionID}
	}
	original, playback = put(pipeline.Original, silence()), put(pipeline.Playback, []byte("rendition"))
	err = s.store.InTx(s.t.Context(), s.practice, func(ctx context.Context, tx pipeline.Tx) error {
		if err := tx.InsertPerson(ctx, pipeline.Person{ID: doctor, Role: "physician", Login: doctor.String(), Name: "Ana Rivera"}, ""); err != nil {
			return err
		}
		if err := tx.InsertDictation(ctx, pipeline.Dictation{ID: d, PracticeID: s.practice, AuthorID: doctor, AudioID: &original.ID, Priority: pipeline.Routine, State: pipeline.Received, ReceivedAt: time.Now(), DueAt: time.Now()}); err != nil {
			return err
		}
		if err := tx.InsertAudio(ctx, original); err != nil {
			return err
		}
		return tx.InsertAudio(ctx, playback)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return original, playback
}

// silence is a second of 16 kHz mono WAV.
func silence() []byte {
	const n = 32000
	var b bytes.Buffer
	b.WriteString("RIFF")
	_ = binary.Write(&b, binary.LittleEndian, uint32(36+n))
	b.WriteString("WAVEfmt ")
	for _, v := range []any{uint32(16), uint16(1), uint16(1), uint32(16000), uint32(32000), uint16(2), uint16(16)} {
		_ = binary.Write(&b, binary.LittleEndian, v)
	}
	b.WriteString("data")
	_ = binary.Write(&b, binary.LittleEndian, uint32(n))
	b.Write(make([]byte, n))
	return b.Bytes()
}

// fsck runs the command and returns what it printed.
func (s *cupboard) fsck(change func(*fsckCmd)) (string, error) {
	s.t.Helper()
	var out bytes.Buffer
	c := fsckCmd{databaseFlags: s.db, serviceFlags: s.flags, Data: s.t.TempDir(), Parallel: 2}
	change(&c)
	err := c.Run(&runtime{ctx: s.t.Context(), out: &out, errOut: io.Discard, log: slog.New(slog.DiscardHandler)})
	return out.String(), err
}

func TestFsckSaysWhatIsWrongAndMendsWhatItMay(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	original, playback := s.record(keeping.Lock{})
	if out, err := s.fsck(func(c *fsckCmd) { c.Deep = true }); err != nil || !strings.Contains(out, "deep check of 2 recordings") || !strings.Contains(out, "is in order") {
		t.Fatalf("%q, %v", out, err)
	}
	s.harm.Cover(original.Key)
	s.harm.Remove(playback.Key, playback.VersionID)
	out, err := s.fsck(func(c *fsckCmd) { c.JSON = true })
	if f := fault.As(err); f == nil || f.Code != "fsck_findings" {
		t.Fatalf("%q, %v", out, err)
	}
	var r fsckReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Findings) != 2 || len(r.Mended) != 0 || r.Recordings != 2 {
		t.Fatalf("%+v", r)
	}
	out, err = s.fsck(func(c *fsckCmd) { c.Repair = true })
	if err != nil || strings.Count(out, "mended:") != 2 {
		t.Fatalf("%q, %v", out, err)
	}
	if out, err := s.fsck(func(c *fsckCmd) { c.Deep = true }); err != nil {
		t.Fatalf("after mending: %q, %v", out, err)
	}
	err = s.store.InTx(t.Context(), s.practice, func(ctx context.Context, tx pipeline.Tx) error {
		a, err := tx.AudioOf(ctx, original.DictationID, pipeline.Playback)
		if err == nil && a.SHA256 == playback.SHA256 {
			t.Error("the rendition's row still says what was lost")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.harm.Remove(original.Key, original.VersionID)
	out, err = s.fsck(func(c *fsckCmd) { c.Repair = true })
	if fault.As(err) == nil || !strings.Contains(out, "! object_missing "+original.Key) {
		t.Fatalf("%q, %v", out, err)
	}

	// What cannot be mended is settled in the name of an administrator.
	admin := pipeline.Person{ID: uuid.New(), PracticeID: s.practice, Role: "admin", Login: "keeper-admin", Name: "Ada Keeper"}
	err = s.store.InTx(t.Context(), s.practice, func(ctx context.Context, tx pipeline.Tx) error { return tx.InsertPerson(ctx, admin, "") })
	if err != nil {
		t.Fatal(err)
	}
	standing, err := s.store.Standing(t.Context(), keeping.Kinds())
	if err != nil || len(standing) != 1 {
		t.Fatalf("%+v, %v", standing, err)
	}
	for _, bad := range []string{"not-an-id", uuid.NewString()} {
		if _, err := s.fsck(func(c *fsckCmd) { c.Settle, c.Note, c.By = bad, "Lost.", admin.Login }); fault.As(err).Code != "finding_unknown" {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if out, err := s.fsck(func(c *fsckCmd) { c.Settle, c.Note, c.By = standing[0].ID.String(), "Lost.", admin.Login }); err != nil || out != "settled\n" {
		t.Errorf("%q, %v", out, err)
	}
	if out, err := s.fsck(func(*fsckCmd) {}); err != nil {
		t.Errorf("what is settled still counts: %q, %v", out, err)
	}
}

func TestRecordingsAreLockedFromReceiptWhenAskedFor(t *testing.T) {
	t.Parallel()
	for mode, locked := range map[string]bool{"": false, "off": false, "governance": true, "compliance": true} {
		lock := keepingFlags{ObjectLock: mode, ObjectLockDays: 30}.lock()
		if (lock.Mode != "") != locked || locked && lock.For != 30*24*time.Hour {
			t.Errorf("%q: %+v", mode, lock)
		}
	}
	s := newShelf(t)
	a, _ := s.record(keeping.Lock{Mode: keeping.Governance, For: time.Hour})
	store, err := openObjects(t.Context(), s.flags)
	if err != nil {
		t.Fatal(err)
	}
	err = store.Purge(t.Context(), keeping.Recording{ID: a.ID, PracticeID: a.PracticeID, Key: a.Key, VersionID: a.VersionID})
	if f := fault.As(err); f == nil || f.Code != keeping.CodeLocked {
		t.Errorf("a locked recording was purged: %v", err)
	}
}
