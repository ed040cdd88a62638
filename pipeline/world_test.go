package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"vesper/ehr/fhir"
	"vesper/ehr/sandbox"
	"vesper/internal/access"
	"vesper/internal/audit"
	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/storage/objects"
	"vesper/storage/postgres"
	"vesper/transcribe/audio"
)

// A client that has lost Redis looks for it once a second, also for the second after it was closed.
func TestMain(m *testing.M) {
	testkit.Main(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

const (
	servePassword, workPassword = "serve-password", "work-password"
	password                    = "lantern-orchard-42"
	noteSystem                  = "urn:vesper:test"
	canary                      = "Quillfeather" // the patient's name; no log, queue or error may hold it
)

// passwordHash is made once: hashing is slow on purpose.
var passwordHash = sync.OnceValues(func() (string, error) { return access.HashPassword(password) })

// world is one practice on real PostgreSQL and a real object store, with everything that moves dictations along: the
// service for people, a worker, a keeper and an EHR. Only the engine is replaced, by one that recites a recorded
// transcript.
type world struct {
	testing.TB
	admin       string // PostgreSQL as superuser
	counter     *testkit.Counter
	serve, work *postgres.Store
	vault       vault
	svc         *pipeline.Service
	worker      *pipeline.Worker
	keeper      *pipeline.Keeper
	engine      *reciter
	ehr         *sandbox.Server
	ehrURL      string
	ehrFaults   *faults
	practice    uuid.UUID
	people      map[string]pipeline.Person // by role; "other" is a second physician, "second" a second editor
	patient     pipeline.Patient
	visit       pipeline.Encounter
	logs        *logBuffer
	key         string // public key of the audit log
	bucket      testkit.Bucket
}

// option changes what the world stands on before it is built.
type option func(*ground)

type ground struct {
	admin  string
	bucket testkit.Bucket
}

// on builds the world on services of its own, which the test may break.
func on(own *testkit.Services) option {
	return func(g *ground) {
		g.admin, g.bucket = own.PostgresURL(), own.S3()
		if err := prepare(context.Background(), g.admin); err != nil {
			panic(err)
		}
	}
}

func prepare(ctx context.Context, admin string) error {
	if err := postgres.Provision(ctx, admin, databaseName(admin), servePassword, workPassword); err != nil {
		return err
	}
	return postgres.Migrate(ctx, admin, slog.New(slog.DiscardHandler))
}

func databaseName(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		panic(err)
	}
	return strings.TrimPrefix(u.Path, "/")
}

func setup(t testing.TB, options ...option) *world {
	t.Helper()
	var g ground
	for _, o := range options {
		o(&g)
	}
	if g.admin == "" {
		g.admin, g.bucket = testkit.PostgresFrom(t, "vesper", prepare), testkit.S3(t)
	}
	w := &world{TB: t, admin: g.admin, counter: testkit.NewCounter(t, g.admin), people: map[string]pipeline.Person{}, logs: &logBuffer{}, ehrFaults: &faults{}}
	log := slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	logins, err := postgres.LoginURLs(w.admin, databaseName(w.admin), servePassword, workPassword)
	w.must(err)
	w.serve, w.work = w.open(logins.Serve, log), w.open(logins.Work, log)
	w.vault, w.bucket = vault{openObjects(t, g.bucket)}, g.bucket
	w.engine = newReciter(t)
	w.startService(log)
	w.startWorker(log)
	w.settle()
	return w
}

func (w *world) open(url string, log *slog.Logger) *postgres.Store {
	w.Helper()
	s, err := postgres.Open(context.Background(), url, log)
	w.must(err)
	w.Cleanup(s.Close)
	return s
}

func frozen() ([]byte, error) { return []byte(`{"model":"recited"}`), nil }

func (w *world) startService(log *slog.Logger) {
	w.Helper()
	secret, public, err := audit.NewKey()
	w.must(err)
	w.key = public
	w.keeper = &pipeline.Keeper{Settings: frozen, SignKey: secret, Outside: w.vault.PutCheckpoint, Log: log}
	w.svc, err = pipeline.NewService(pipeline.Config{
		Store: w.serve, Objects: w.vault, Parts: w.vault, Prober: prober{}, Target: "sandbox", SpoolDir: w.TempDir(), MaxBytes: 1 << 20, AuditKey: public,
		Outside: w.vault.Checkpoints, Log: log, Hooks: hookList{}, Settings: func() (json.RawMessage, error) { return frozen() },
	})
	w.must(err)
}

func (w *world) startWorker(log *slog.Logger) {
	w.Helper()
	var err error
	w.ehr, err = sandbox.Open(sandbox.Config{Dir: w.TempDir(), Faults: w.ehrFaults.next})
	w.must(err)
	w.Cleanup(func() { w.must(w.ehr.Close()) })
	server := httptest.NewServer(w.ehr)
	w.Cleanup(server.Close)
	w.ehrURL = server.URL
	w.worker = w.newWorker("worker-1", log)
	w.keeper.Worker = w.worker
}

func (w *world) newWorker(name string, log *slog.Logger) *pipeline.Worker {
	w.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	w.Cleanup(transport.CloseIdleConnections)
	target, err := fhir.New(fhir.Config{Name: "sandbox", BaseURL: w.ehrURL + "/fhir", AllowPrivate: true, Client: &http.Client{Transport: transport, Timeout: 5 * time.Second}})
	w.must(err)
	return &pipeline.Worker{
		Store: w.work, Objects: w.vault, Recogniser: w.engine, Target: target, System: noteSystem, TempDir: w.TempDir(), Name: name, Log: log,
	}
}

// settle makes the practice, its people, a patient and a visit.
func (w *world) settle() {
	w.Helper()
	hash, err := passwordHash()
	w.must(err)
	w.practice, err = w.serve.CreatePractice(context.Background(), "Larkspur Family Practice")
	w.must(err)
	roles := map[string]string{"other": "physician", "second": "editor"}
	names := map[string]string{
		"physician": "Ana Rivera", "other": "Ben Osei", "editor": "Mina Okafor", "second": "Lou Sample",
		"supervisor": "Theo Brandt", "compliance": "Ida Lund", "admin": "Sam Petrov",
	}
	for key, name := range names {
		role := key
		if roles[key] != "" {
			role = roles[key]
		}
		p := pipeline.Person{ID: newID(), PracticeID: w.practice, Role: role, Login: key, Name: name, Credential: "MD"}
		w.people[key] = p
		w.in(func(ctx context.Context, tx pipeline.Tx) error { return tx.InsertPerson(ctx, p, hash) })
	}
	w.patient = pipeline.Patient{ID: newID(), PracticeID: w.practice, MRN: "T-1001", Name: canary + ", Lydia", BirthDate: "1960-04-30", Sex: "female", EHRRef: "Patient/p1"}
	w.visit = pipeline.Encounter{
		ID: newID(), PracticeID: w.practice, PatientID: w.patient.ID, AuthorID: w.people["physician"].ID, Starts: time.Now().Truncate(time.Second),
		Title: "Office visit", EHRRef: "Encounter/e1",
	}
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		if err := tx.InsertPatient(ctx, w.patient); err != nil {
			return err
		}
		return tx.InsertEncounter(ctx, w.visit)
	})
}

func (w *world) in(fn func(context.Context, pipeline.Tx) error) {
	w.Helper()
	w.must(w.serve.InTx(context.Background(), w.practice, fn))
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) as(key string) access.Actor {
	w.Helper()
	p, ok := w.people[key]
	if !ok {
		w.Fatalf("nobody is called %s", key)
	}
	return p.Actor()
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

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

// vault lets the pipeline use the object store.
type vault struct{ *objects.Store }

func (v vault) Put(ctx context.Context, practice, audioID uuid.UUID, r io.Reader, size int64) (pipeline.Stored, error) {
	o, err := v.Store.Put(ctx, objects.PutRequest{Practice: practice, AudioID: audioID, Size: size, Reader: r})
	return pipeline.Stored{Key: o.Key, SHA256: o.SHA256, Size: o.Size, SealedKey: o.SealedKey, VersionID: o.VersionID}, err
}

func (v vault) Open(ctx context.Context, a pipeline.Audio) (io.ReadSeekCloser, error) {
	return v.Get(ctx, objects.Object{
		Practice: a.PracticeID, AudioID: a.ID, Key: a.Key, VersionID: a.VersionID, Size: a.Size, SHA256: a.SHA256, SealedKey: a.SealedKey,
	})
}

func openObjects(t testing.TB, b testkit.Bucket) *objects.Store {
	t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	s, err := objects.Open(context.Background(), objects.Config{
		Endpoint: b.Host(), Region: b.Region, AccessKey: b.AccessKey, SecretKey: b.SecretKey, Bucket: b.Name,
		MasterKey: bytes.Repeat([]byte{7}, objects.KeySize), SpoolDir: t.TempDir(), Transport: transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type prober struct{}

func (prober) Probe(ctx context.Context, path string) error {
	_, err := audio.Probe(ctx, path, audio.Options{})
	return err
}

// faults lets a test decide what goes wrong with the EHR's next requests.
type faults struct {
	mu     sync.Mutex
	decide func(*http.Request) sandbox.Fault
}

func (f *faults) set(decide func(*http.Request) sandbox.Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.decide = decide
}

func (f *faults) next(r *http.Request) sandbox.Fault {
	f.mu.Lock()
	decide := f.decide
	f.mu.Unlock()
	if decide == nil {
		return sandbox.Fault{}
	}
	return decide(r)
}

// logBuffer collects everything that is logged.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
