package web_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"vesper/internal/access"
	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/storage/objects"
	"vesper/storage/postgres"
	"vesper/transcribe/audio"
	"vesper/web"
)

// The upload library keeps a goroutine for ten seconds after each request.
func TestMain(m *testing.M) {
	testkit.Main(m, goleak.IgnoreAnyFunction("github.com/tus/tusd/v2/pkg/handler.newDelayedContext.func1"))
}

const (
	servePassword, workPassword = "serve-password", "work-password"
	password                    = "lantern-orchard-42"
)

// passwordHash is made once: hashing is slow on purpose.
var passwordHash = sync.OnceValues(func() (string, error) { return access.HashPassword(password) })

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

// world is a whole Vesper without workers: real PostgreSQL, real object store, the real service, a real server.
type world struct {
	testing.TB
	store    *postgres.Store
	svc      *pipeline.Service
	service  web.Service // what the server talks to: svc, or a wrapper that a test put around it
	config   web.Config
	server   *httptest.Server
	practice uuid.UUID
	people   map[string]pipeline.Person // by role; "other" is a second physician
	patient  pipeline.Patient
	spool    string
	logs     *logBuffer
}

type option func(*world)

func newWorld(t testing.TB, options ...option) *world {
	t.Helper()
	w := &world{TB: t, people: map[string]pipeline.Person{}, spool: filepath.Join(t.TempDir(), "uploads"), logs: &logBuffer{}}
	log := slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	admin := testkit.PostgresFrom(t, "vesper", prepare)
	logins, err := postgres.LoginURLs(admin, databaseName(admin), servePassword, workPassword)
	w.must(err)
	w.store, err = postgres.Open(context.Background(), logins.Serve, log)
	w.must(err)
	t.Cleanup(w.store.Close)
	store := vault{openObjects(t)}
	w.svc, err = pipeline.NewService(pipeline.Config{
		Store: w.store, Objects: store, Parts: store, Prober: prober{}, Target: "sandbox", SpoolDir: t.TempDir(), Hooks: anyHook{}, Log: log,
		Settings: func() (json.RawMessage, error) { return json.RawMessage(`{"model":"none"}`), nil },
	})
	w.must(err)
	w.service = w.svc
	w.settle()
	w.config = web.Config{Sessions: w.store.Sessions(web.SessionPersonKey), Log: log, SpoolDir: w.spool}
	for _, o := range options {
		o(w)
	}
	w.start()
	return w
}

// start serves. Calling it again is a restart: a new server on the same folder and database.
func (w *world) start() {
	w.Helper()
	if w.server != nil {
		w.server.Close()
	}
	w.config.Service = w.service
	s, err := web.New(w.config)
	w.must(err)
	w.server = httptest.NewServer(s.Handler())
	w.Cleanup(w.server.Close)
}

// settle makes the practice and its people.
func (w *world) settle() {
	w.Helper()
	hash, err := passwordHash()
	w.must(err)
	ctx := context.Background()
	w.practice, err = w.store.CreatePractice(ctx, "Larkspur Family Practice")
	w.must(err)
	names := map[string]string{"physician": "Ana Rivera", "other": "Ben Osei", "editor": "Mina Okafor", "supervisor": "Theo Brandt", "compliance": "Ida Lund", "admin": "Sam Petrov"}
	for key, name := range names {
		role := key
		if key == "other" {
			role = "physician"
		}
		p := pipeline.Person{ID: newID(), PracticeID: w.practice, Role: role, Login: key + "-" + newID().String(), Name: name, Credential: "MD"}
		w.people[key] = p
		w.in(func(ctx context.Context, tx pipeline.Tx) error { return tx.InsertPerson(ctx, p, hash) })
	}
	w.patient = pipeline.Patient{ID: newID(), PracticeID: w.practice, MRN: "T-1001", Name: "Testa, Lydia", BirthDate: "1960-04-30", Sex: "female", EHRRef: "Patient/p1"}
	w.in(func(ctx context.Context, tx pipeline.Tx) error { return tx.InsertPatient(ctx, w.patient) })
}

func (w *world) in(fn func(context.Context, pipeline.Tx) error) {
	w.Helper()
	w.must(w.store.InTx(context.Background(), w.practice, fn))
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func openObjects(t testing.TB) *objects.Store {
	t.Helper()
	b := testkit.S3(t)
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

// vault lets the service use the object store.
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

type prober struct{}

func (prober) Probe(ctx context.Context, path string) error {
	_, err := audio.Probe(ctx, path, audio.Options{})
	return err
}

// logBuffer collects what the server logs.
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

// client is a browser or script of one person.
type client struct {
	w    *world
	http *http.Client
}

func (w *world) anonymous() *client {
	w.Helper()
	jar, err := cookiejar.New(nil)
	w.must(err)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	w.Cleanup(transport.CloseIdleConnections)
	return &client{w: w, http: &http.Client{Jar: jar, Transport: transport}}
}

// as signs somebody in.
func (w *world) as(role string) *client {
	w.Helper()
	c := w.anonymous()
	if a := c.json("POST", "/api/v1/session", map[string]string{"login": w.people[role].Login, "password": password}); a.status != 200 {
		w.Fatalf("sign in as %s: %d %s", role, a.status, a.body)
	}
	return c
}

// answer is what came back.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   string
}

func (c *client) do(method, path string, body io.Reader, headers ...string) answer {
	c.w.Helper()
	req, err := http.NewRequest(method, c.w.server.URL+path, body)
	c.w.must(err)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.http.Do(req)
	c.w.must(err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	c.w.must(err)
	return answer{c.w, resp.StatusCode, resp.Header, string(raw)}
}

func (c *client) get(path string, headers ...string) answer {
	c.w.Helper()
	return c.do("GET", path, nil, headers...)
}

func (c *client) json(method, path string, in any, headers ...string) answer {
	c.w.Helper()
	raw, err := json.Marshal(in)
	c.w.must(err)
	return c.do(method, path, bytes.NewReader(raw), append([]string{"Content-Type", "application/json"}, headers...)...)
}

// into decodes the body.
func (a answer) into(out any) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.body), out); err != nil {
		a.t.Fatalf("decode %q: %v", a.body, err)
	}
}

// want fails the test unless the status is this one.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// problem fails the test unless the answer is a whole problem with this status and code.
func (a answer) problem(status int, code string) answer {
	a.t.Helper()
	a.want(status)
	var p web.Problem
	a.into(&p)
	if ct := a.header.Get("Content-Type"); ct != "application/problem+json" {
		a.t.Fatalf("content type %q", ct)
	}
	if p.Code != code || p.Status != status || p.Title == "" || p.Detail == "" || p.Type != "urn:vesper:problem:"+code || p.RequestID == "" {
		a.t.Fatalf("problem %s, want code %s", a.body, code)
	}
	return a
}

// field reads one member of a JSON object.
func (a answer) field(name string) any {
	a.t.Helper()
	var m map[string]any
	a.into(&m)
	return m[name]
}

// tone is a WAV file of half a second that no other call returns.
func tone() []byte {
	const n = 8000
	id := newID()
	var b bytes.Buffer
	b.WriteString("RIFF")
	_ = binary.Write(&b, binary.LittleEndian, uint32(36+2*n))
	b.WriteString("WAVEfmt ")
	_ = binary.Write(&b, binary.LittleEndian, struct {
		Size                   uint32
		Format, Channels       uint16
		Rate, Bytes            uint32
		BlockAlign, SampleBits uint16
	}{16, 1, 1, 16000, 32000, 2, 16})
	b.WriteString("data")
	_ = binary.Write(&b, binary.LittleEndian, uint32(2*n))
	for i := range n {
		v := int16(8000 * math.Sin(float64(i)/20))
		if i < 16 {
			v = int16(id[i]) // makes the bytes unique
		}
		_ = binary.Write(&b, binary.LittleEndian, v)
	}
	return b.Bytes()
}

// spoolFiles lists what lies in the folder of uploads.
func (w *world) spoolFiles() []string {
	w.Helper()
	entries, err := os.ReadDir(w.spool)
	w.must(err)
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func (w *world) String() string { return fmt.Sprint("world at ", w.server.URL) }
