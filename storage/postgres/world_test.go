package postgres_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/internal/audit"
	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/notes"
	"vesper/pipeline"
	"vesper/storage/postgres"
	"vesper/transcribe"
	"vesper/transcribe/audio"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// Passwords of the two logins in the test cluster.
const servePassword, workPassword = "serve-password", "work-password"

var quiet = slog.New(slog.DiscardHandler)

// prepare provisions and migrates the template that every test gets a copy of.
func prepare(ctx context.Context, admin string) error {
	if err := postgres.Provision(ctx, admin, dbName(admin), servePassword, workPassword); err != nil {
		return err
	}
	return postgres.Migrate(ctx, admin, quiet)
}

func dbName(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		panic(err)
	}
	return strings.TrimPrefix(u.Path, "/")
}

// world is one practice in a migrated database.
type world struct {
	testing.TB
	admin       string // superuser
	logins      postgres.Logins
	serve, work *postgres.Store
	practice    uuid.UUID
	physician   pipeline.Person
	editor      pipeline.Person
	second      pipeline.Person // another editor
	patient     pipeline.Patient
	conns       map[string]*pgx.Conn
}

// newWorld makes a practice of its own in a database that tests share: row-level security keeps them apart.
func newWorld(t testing.TB) *world {
	t.Helper()
	shared.once.Do(func() { shared.url = testkit.PostgresFrom(lasting{t}, "vesper", prepare) })
	if shared.url == "" {
		t.Fatal("the shared database was not made")
	}
	return settle(t, shared.url)
}

// ownWorld has a database of its own, for tests that look across practices or damage something.
func ownWorld(t testing.TB) *world {
	t.Helper()
	return settle(t, testkit.PostgresFrom(t, "vesper", prepare))
}

var shared struct {
	once sync.Once
	url  string
}

// lasting lets what is made for one test outlive it; the test cluster itself goes when the package's tests end.
type lasting struct{ testing.TB }

func (lasting) Cleanup(func()) {}

func settle(t testing.TB, admin string) *world {
	t.Helper()
	w := &world{TB: t, admin: admin, conns: map[string]*pgx.Conn{}}
	var err error
	w.logins, err = postgres.LoginURLs(w.admin, dbName(w.admin), servePassword, workPassword)
	w.must(err)
	w.serve, w.work = w.open(w.logins.Serve), w.open(w.logins.Work)
	w.practice = w.newPractice("Larkspur Family Practice")
	w.physician = w.newPerson(w.practice, "physician", "Ana Rivera")
	w.editor = w.newPerson(w.practice, "editor", "Mina Okafor")
	w.second = w.newPerson(w.practice, "editor", "Theo Brandt")
	w.patient = pipeline.Patient{ID: id(), PracticeID: w.practice, MRN: "T-1001", Name: "Testa, Lydia", BirthDate: "1960-04-30", Sex: "female", EHRRef: "Patient/p1"}
	w.in(func(ctx context.Context, tx pipeline.Tx) error { return tx.InsertPatient(ctx, w.patient) })
	return w
}

func (w *world) open(url string) *postgres.Store {
	w.Helper()
	s, err := postgres.Open(context.Background(), url, quiet)
	w.must(err)
	w.Cleanup(s.Close)
	return s
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// in runs fn in one transaction of the web server's login and fails the test on an error.
func (w *world) in(fn func(context.Context, pipeline.Tx) error) {
	w.Helper()
	w.must(w.try(fn))
}

func (w *world) try(fn func(context.Context, pipeline.Tx) error) error {
	return w.serve.InTx(context.Background(), w.practice, fn)
}

func (w *world) newPractice(name string) uuid.UUID {
	w.Helper()
	p, err := w.serve.CreatePractice(context.Background(), name+" "+id().String())
	w.must(err)
	return p
}

func (w *world) newPerson(practice uuid.UUID, role, name string) pipeline.Person {
	w.Helper()
	p := pipeline.Person{ID: id(), PracticeID: practice, Role: role, Login: "login-" + id().String(), Name: name, EHRRef: "Practitioner/p1", Credential: "MD"}
	w.must(w.serve.InTx(context.Background(), practice, func(ctx context.Context, tx pipeline.Tx) error {
		return tx.InsertPerson(ctx, p, "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$a2V5")
	}))
	return p
}

// receive commits a new recording of the physician with its transcription job and returns both.
func (w *world) receive(change ...func(*pipeline.Dictation)) (pipeline.Dictation, uuid.UUID) {
	w.Helper()
	audioID := id()
	now := time.Now().UTC().Truncate(time.Microsecond)
	d := pipeline.Dictation{
		ID: id(), PracticeID: w.practice, AuthorID: w.physician.ID, AudioID: &audioID, PatientID: &w.patient.ID,
		WorkType: "progress", Priority: pipeline.Routine, State: pipeline.Received, ReceivedAt: now, DueAt: now.Add(24 * time.Hour),
	}
	for _, c := range change {
		c(&d)
	}
	var job uuid.UUID
	w.in(func(ctx context.Context, tx pipeline.Tx) (err error) {
		if err := tx.InsertDictation(ctx, d); err != nil {
			return err
		}
		if err := tx.InsertAudio(ctx, audioFor(d, d.ID.String())); err != nil {
			return err
		}
		if job, err = tx.AddJob(ctx, pipeline.Job{DictationID: d.ID, Kind: pipeline.TranscribeJob, InputSHA256: sum(d.ID.String())}); err != nil {
			return err
		}
		return tx.Move(ctx, d.ID, []pipeline.State{pipeline.Received}, pipeline.Queued, "")
	})
	d.State = pipeline.Queued
	return d, job
}

func audioFor(d pipeline.Dictation, content string) pipeline.Audio {
	return pipeline.Audio{
		ID: *d.AudioID, PracticeID: d.PracticeID, DictationID: d.ID, Rendition: pipeline.Original, Key: "k/" + d.ID.String(),
		SHA256: sum(content), Size: 12, SealedKey: []byte{1, 2}, VersionID: "v1", ContentType: "audio/wav", Filename: "a.wav",
	}
}

// draft brings a new recording to drafted, with a transcript and version 1.
func (w *world) draft() (pipeline.Dictation, pipeline.Note) {
	w.Helper()
	d, job := w.receive()
	n := pipeline.Note{ID: id(), PracticeID: w.practice, DictationID: d.ID, WorkType: d.WorkType}
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		if err := tx.InsertTranscript(ctx, pipeline.StoredTranscript{DictationID: d.ID, JobID: job}, speech()); err != nil {
			return err
		}
		if err := tx.Move(ctx, d.ID, []pipeline.State{pipeline.Queued}, pipeline.Transcribed, ""); err != nil {
			return err
		}
		if err := tx.InsertNote(ctx, n); err != nil {
			return err
		}
		if _, err := tx.InsertVersion(ctx, pipeline.Version{NoteID: n.ID, Number: 1, Kind: pipeline.EngineDraft, Document: document("first"), ContentHash: "h1"}); err != nil {
			return err
		}
		return tx.Move(ctx, d.ID, []pipeline.State{pipeline.Transcribed}, pipeline.Drafted, "")
	})
	return d, n
}

// await brings a new recording to awaiting_signature.
func (w *world) await() (pipeline.Dictation, pipeline.Note) {
	w.Helper()
	d, n := w.draft()
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		if err := tx.Move(ctx, d.ID, []pipeline.State{pipeline.Drafted}, pipeline.InReview, ""); err != nil {
			return err
		}
		return tx.Move(ctx, d.ID, []pipeline.State{pipeline.InReview}, pipeline.AwaitingSignature, "")
	})
	return d, n
}

// sign brings a new recording to signed, with a pending delivery.
func (w *world) sign() (pipeline.Dictation, pipeline.Signature, pipeline.Delivery) {
	w.Helper()
	d, n := w.await()
	s := w.signature(n)
	v := pipeline.Delivery{ID: id(), PracticeID: w.practice, NoteID: n.ID, SignatureID: s.ID, TextSHA256: s.TextSHA256, Target: "ehr"}
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		if err := tx.InsertSignature(ctx, s); err != nil {
			return err
		}
		if err := tx.Move(ctx, d.ID, []pipeline.State{pipeline.AwaitingSignature}, pipeline.Signed, ""); err != nil {
			return err
		}
		return tx.InsertDelivery(ctx, v)
	})
	return d, s, v
}

func (w *world) signature(n pipeline.Note) pipeline.Signature {
	text := "Signed text of " + n.ID.String()
	return pipeline.Signature{
		ID: id(), PracticeID: w.practice, NoteID: n.ID, Version: 1, SignerID: w.physician.ID, SignerName: w.physician.Name,
		Credential: "MD", Meaning: "I approve this note.", Method: "password", SignedAt: time.Now().UTC().Truncate(time.Second),
		Canonical: []byte(`{"a":1}`), CanonicalSHA256: sum(`{"a":1}`), Text: []byte(text), TextSHA256: sum(text),
	}
}

// conn is a plain connection of the given login, kept until the test ends.
func (w *world) conn(login string) *pgx.Conn {
	w.Helper()
	if c := w.conns[login]; c != nil {
		return c
	}
	c, err := pgx.Connect(context.Background(), login)
	w.must(err)
	w.conns[login] = c
	w.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

// raw runs one statement as the given login, with the practice set unless it is zero, in a transaction that commits.
func (w *world) raw(login string, practice uuid.UUID, sql string, args ...any) (int64, error) {
	w.Helper()
	ctx := context.Background()
	conn := w.conn(login)
	var n int64
	err := pgx.BeginFunc(ctx, conn, func(t pgx.Tx) error {
		if practice != uuid.Nil {
			if _, err := t.Exec(ctx, `SELECT set_config('vesper.practice_id', $1, true)`, practice.String()); err != nil {
				return err
			}
		}
		tag, err := t.Exec(ctx, sql, args...)
		n = tag.RowsAffected()
		return err
	})
	return n, err
}

// super runs statements as superuser with triggers off: what an intruder with the keys to the database could do.
func (w *world) super(sql ...string) {
	w.Helper()
	conn := w.conn(w.admin)
	for _, s := range slices.Concat([]string{`SET session_replication_role = replica`}, sql, []string{`RESET session_replication_role`}) {
		if _, err := conn.Exec(context.Background(), s); err != nil {
			w.Fatalf("%s: %v", s, err)
		}
	}
}

func (w *world) audit(action string, subject uuid.UUID) {
	w.Helper()
	w.in(func(ctx context.Context, tx pipeline.Tx) error { return tx.Audit(ctx, w.event(action, subject)) })
}

func (w *world) event(action string, subject uuid.UUID) audit.Event {
	return audit.Event{
		ActorID: w.editor.ID, ActorRole: "editor", Action: action, Subject: "dictation", SubjectID: subject, Outcome: "done",
		RequestID: "r-1", Detail: map[string]string{"b": "2", "a": "ü <x> & y"},
	}
}

func document(text string) notes.Document {
	return notes.Document{
		WorkType: "progress", Sections: []notes.Section{{Key: "hpi", Heading: "History", Runs: []notes.Run{
			{Text: text, Source: notes.Source{Kind: notes.FromSpeech, Start: 0.1, End: 1.7, Confidence: 0.93}},
		}}},
		Blanks: []notes.Blank{{Start: 2, End: 2.5, Section: "hpi"}}, Flags: []notes.Flag{{Kind: "number", Text: "40 mg", Start: 1, End: 2}},
	}
}

func speech() transcribe.Transcript {
	return transcribe.Transcript{
		Audio: transcribe.AudioFacts{SHA256: sum("audio"), Seconds: 2.75, Warnings: []audio.Warning{{Code: "cut", Text: "Cut off."}}}, Model: transcribe.ModelFacts{Name: "base", SHA256: sum("model")},
		EngineSeconds: 0.3, Text: "Hello there.",
		Doubts: []transcribe.Doubt{{First: 1, Last: 1, Start: 0.45, End: 0.9, Kind: transcribe.DoubtSide, Heard: "left", Other: "right", Margin: 1.5}},
		Words:  []transcribe.Word{{Text: "Hello", Start: 0.1, End: 0.4, Confidence: 0.9}, {Text: "there.", Start: 0.45, End: 0.9, Confidence: 0.7}},
		Spans:  []transcribe.Span{{Start: 0, End: 0.9, Kind: transcribe.SpanWords}, {Start: 0.9, End: 2.75, Kind: transcribe.SpanStruck, Reason: "loop", Text: "Thanks."}},
	}
}

func id() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func sum(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}

// wantFault fails the test unless err is a fault of this kind and code.
func wantFault(t testing.TB, err error, kind fault.Kind, code string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want %s %s", kind, code)
	}
	if f := fault.As(err); f.Kind != kind || f.Code != code {
		t.Fatalf("got %s %s (%v); want %s %s", f.Kind, f.Code, err, kind, code)
	}
}

// wantState fails the test unless err is PostgreSQL's error of this SQLSTATE.
func wantState(t testing.TB, err error, state string) {
	t.Helper()
	if err == nil || !strings.Contains(fmt.Sprint(err), "SQLSTATE "+state) {
		t.Fatalf("got %v; want SQLSTATE %s", err, state)
	}
}
