package watch_test

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
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"vesper/internal/access"
	"vesper/internal/client"
	"vesper/internal/testkit"
	"vesper/internal/watch"
	"vesper/pipeline"
	"vesper/storage/objects"
	"vesper/storage/postgres"
	"vesper/transcribe/audio"
	"vesper/web"
)

func TestMain(m *testing.M) {
	if os.Getenv("VESPER_WATCH_CHILD") != "" {
		os.Exit(child())
	}
	// The upload library keeps a goroutine for ten seconds after each request.
	testkit.Main(m, goleak.IgnoreAnyFunction("github.com/tus/tusd/v2/pkg/handler.newDelayedContext.func1"))
}

const (
	servePassword, workPassword = "serve-password", "work-password"
	password                    = "lantern-orchard-42"
)

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

// world is a whole Vesper without workers, a recorder's folder, and what lies between: a wire that tests can cut.
type world struct {
	testing.TB
	svc      *pipeline.Service
	store    *postgres.Store
	config   web.Config
	practice uuid.UUID
	logins   map[string]string
	dir      string
	url      string
	wire     *wire
}

func newWorld(t testing.TB, change ...func(*web.Config)) *world {
	t.Helper()
	w := &world{TB: t, logins: map[string]string{}, dir: filepath.Join(t.TempDir(), "recorder"), wire: &wire{}}
	w.must(os.Mkdir(w.dir, 0o700))
	log := slog.New(slog.DiscardHandler)
	admin := testkit.PostgresFrom(t, "vesper", prepare)
	urls, err := postgres.LoginURLs(admin, databaseName(admin), servePassword, workPassword)
	w.must(err)
	w.store, err = postgres.Open(context.Background(), urls.Serve, log)
	w.must(err)
	t.Cleanup(w.store.Close)
	w.svc, err = pipeline.NewService(pipeline.Config{
		Store: w.store, Objects: vault{openObjects(t)}, Prober: prober{}, Target: "sandbox", SpoolDir: t.TempDir(), Log: log,
		Settings: func() (json.RawMessage, error) { return json.RawMessage(`{"model":"none"}`), nil },
	})
	w.must(err)
	w.settle()
	w.config = web.Config{Service: w.svc, Sessions: w.store.Sessions(web.SessionPersonKey), Log: log, SpoolDir: filepath.Join(t.TempDir(), "uploads")}
	for _, c := range change {
		c(&w.config)
	}
	w.restart()
	s := httptest.NewServer(w.wire)
	t.Cleanup(s.Close)
	w.url = s.URL
	return w
}

// restart puts a new server in the place of the old one, on the same folder and database.
func (w *world) restart() {
	w.Helper()
	s, err := web.New(w.config)
	w.must(err)
	w.wire.set(s.Handler(), nil)
}

func (w *world) settle() {
	w.Helper()
	hash, err := passwordHash()
	w.must(err)
	ctx := context.Background()
	w.practice, err = w.store.CreatePractice(ctx, "Larkspur Family Practice")
	w.must(err)
	w.must(w.store.InTx(ctx, w.practice, func(ctx context.Context, tx pipeline.Tx) error {
		for name, role := range map[string]string{"avery": "physician", "osei": "physician", "sam": "admin", "theo": "supervisor"} {
			w.logins[name] = name + "-" + uuid.NewString()
			p := pipeline.Person{ID: uuid.Must(uuid.NewV7()), PracticeID: w.practice, Role: role, Login: w.logins[name], Name: name}
			if err := tx.InsertPerson(ctx, p, hash); err != nil {
				return err
			}
		}
		return tx.InsertPatient(ctx, pipeline.Patient{ID: uuid.Must(uuid.NewV7()), PracticeID: w.practice, MRN: "T-1001", Name: "Testa, Lydia", BirthDate: "1960-04-30", Sex: "female", EHRRef: "Patient/p1"})
	}))
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

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

// wire stands between watcher and server. It counts the bytes of recordings that come through, and can be interfered with.
type wire struct {
	mu     sync.Mutex
	server http.Handler
	bytes  int64
	calls  map[string]int // by method and path
	meddle func(http.ResponseWriter, *http.Request) bool
}

func (x *wire) set(server http.Handler, meddle func(http.ResponseWriter, *http.Request) bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if server != nil {
		x.server = server
	}
	x.meddle = meddle
}

func (x *wire) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	server, meddle := x.server, x.meddle
	if x.calls == nil {
		x.calls = map[string]int{}
	}
	x.calls[r.Method+" "+r.URL.Path]++
	x.mu.Unlock()
	if r.Method == http.MethodPatch {
		r.Body = counted{r.Body, x}
	}
	if meddle == nil || !meddle(w, r) {
		server.ServeHTTP(w, r)
	}
}

type counted struct {
	io.ReadCloser
	x *wire
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.x.mu.Lock()
	c.x.bytes += int64(n)
	c.x.mu.Unlock()
	return n, err
}

func (x *wire) carried() int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.bytes
}

func (x *wire) count(call string) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.calls[call]
}

// cut ends the connection without an answer, as a network that went away would.
func cut(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }

// options are those of a quick watcher of the world's folder.
func (w *world) options() watch.Options {
	w.Helper()
	return w.optionsAs("avery")
}

func (w *world) optionsAs(who string) watch.Options {
	w.Helper()
	api, err := client.New(w.url)
	w.must(err)
	w.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	return watch.Options{
		Dir: w.dir, Scope: w.url + who, Poll: 15 * time.Millisecond, Looks: 3, Patience: time.Hour, Hold: 100 * time.Millisecond, Pause: 20 * time.Millisecond,
		Beat: 50 * time.Millisecond, Session: &watch.Session{API: api, Login: w.logins[who], Password: func() (string, error) { return password, nil }},
	}
}

// running is a watcher in the background.
type running struct {
	w      *world
	mu     sync.Mutex
	events []watch.Event
	stop   context.CancelFunc
	ended  chan struct{}
	result watch.Result
	err    error
}

func (w *world) watch(o watch.Options) *running {
	w.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{w: w, stop: cancel, ended: make(chan struct{})}
	o.Tell = func(e watch.Event) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.events = append(r.events, e)
	}
	go func() {
		defer close(r.ended)
		r.result, r.err = watch.Run(ctx, o)
	}()
	w.Cleanup(func() {
		cancel()
		<-r.ended
		if w.Failed() {
			w.Logf("told: %v", r.told())
		}
	})
	return r
}

func (r *running) told() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, e := range r.events {
		out = append(out, strings.TrimSpace(e.Name+" "+string(e.What)+" "+e.Detail+e.Place))
	}
	return out
}

// tells waits for an event whose line holds the text.
func (r *running) tells(text string) {
	r.w.Helper()
	testkit.Until(r.w, 20*time.Second, "the watcher tells "+text, func() bool {
		return slices.ContainsFunc(r.told(), func(s string) bool { return strings.Contains(s, text) })
	})
}

func (r *running) ends() (watch.Result, error) {
	r.w.Helper()
	select {
	case <-r.ended:
	case <-time.After(time.Minute):
		r.w.Fatal("the watcher does not end")
	}
	return r.result, r.err
}

// once runs until nothing is left to do.
func (w *world) once(o watch.Options) watch.Result {
	w.Helper()
	o.Once = true
	result, err := w.watch(o).ends()
	w.must(err)
	return result
}

// put writes a file into the folder.
func (w *world) put(name string, content []byte) string {
	w.Helper()
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	w.must(os.MkdirAll(filepath.Dir(path), 0o700))
	w.must(os.WriteFile(path, content, 0o600))
	return path
}

// lies lists the files in a folder below the world's, without what is hidden.
func (w *world) lies(in string) []string {
	w.Helper()
	var out []string
	root := filepath.Join(w.dir, in)
	_ = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || strings.HasPrefix(d.Name(), ".") && d.IsDir() {
			return filepath.SkipDir
		}
		if rel, _ := filepath.Rel(root, path); !d.IsDir() && (in != "" || !strings.HasPrefix(rel, "sent") && !strings.HasPrefix(rel, "rejected")) {
			out = append(out, filepath.ToSlash(rel))
		}
		return nil
	})
	slices.Sort(out)
	return out
}

// today is the day's folder.
func today() string { return time.Now().Format(time.DateOnly) }

// dictations asks the server, as the supervisor, what it has.
func (w *world) dictations() []map[string]any {
	w.Helper()
	c, err := client.New(w.url)
	w.must(err)
	_, err = c.Login(context.Background(), w.logins["theo"], password)
	w.must(err)
	var out []map[string]any
	for {
		var page struct {
			Items []map[string]any `json:"items"`
		}
		w.must(c.Do(context.Background(), http.MethodGet, fmt.Sprintf("/api/v1/dictations?order=newest&limit=200&offset=%d", len(out)), nil, &page))
		out = append(out, page.Items...)
		if len(page.Items) < 200 {
			return out
		}
	}
}

// tone is a WAV file of so many samples that no other call returns.
func tone(samples int) []byte {
	id := uuid.New()
	var b bytes.Buffer
	b.WriteString("RIFF")
	_ = binary.Write(&b, binary.LittleEndian, uint32(36+2*samples))
	b.WriteString("WAVEfmt ")
	_ = binary.Write(&b, binary.LittleEndian, struct {
		Size                   uint32
		Format, Channels       uint16
		Rate, Bytes            uint32
		BlockAlign, SampleBits uint16
	}{16, 1, 1, 16000, 32000, 2, 16})
	b.WriteString("data")
	_ = binary.Write(&b, binary.LittleEndian, uint32(2*samples))
	data := make([]byte, 2*samples)
	for i := range samples {
		v := int16(8000 * math.Sin(float64(i)/20))
		if i < 16 {
			v = int16(id[i])
		}
		binary.LittleEndian.PutUint16(data[2*i:], uint16(v))
	}
	b.Write(data)
	return b.Bytes()
}
