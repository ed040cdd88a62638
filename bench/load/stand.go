package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"vesper/ehr/fhir"
	"vesper/ehr/sandbox"
	"vesper/internal/access"
	"vesper/internal/audit"
	"vesper/internal/client"
	"vesper/internal/services"
	"vesper/notes/templates"
	"vesper/pipeline"
	"vesper/pipeline/tasks"
	"vesper/storage/objects"
	"vesper/storage/postgres"
	"vesper/transcribe/audio"
	"vesper/web"
)

const (
	database  = "vesper_load"
	practice  = "Larkspur Medical Group (fictional)"
	password  = "lantern-orchard-42"
	noteBase  = "urn:vesper:load"
	sandboxID = "sandbox"
)

// The people of the practice: enough that none of them is the bottleneck.
const (
	physicians = 20
	editors    = 8
)

// stand is a whole Vesper with an engine that costs nothing: services with the settings of `vesper up`, a sandbox EHR, server
// and workers in this process.
type stand struct {
	dir      string // "": one that is removed at the end
	stack    *services.Stack
	admin    string // PostgreSQL as superuser
	serve    *postgres.Store
	work     *postgres.Store
	svc      *pipeline.Service
	ehr      *sandbox.Server
	url      string
	practice uuid.UUID
	people   map[string]pipeline.Person // by login
	patients []pipeline.Patient
	log      *slog.Logger
	closers  []func()
	ehrURL   string
	working  func()                                // ends the workers
	start    func(engine *replay, slots int) error // starts them
}

// raise starts a stand without workers, in a folder that goes with it, or in one that stays.
func raise(ctx context.Context, dir string) (*stand, error) {
	s := &stand{dir: dir, people: map[string]pipeline.Person{}, log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))}
	if err := s.raise(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *stand) raise(ctx context.Context) error {
	dir, err := s.folder()
	if err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o711); err != nil { // PostgreSQL's account must pass through
		return err
	}
	if s.stack, err = services.Up(ctx, services.Config{Dir: dir, AnyPort: true, Database: database, Log: s.log}); err != nil {
		return err
	}
	s.closers = append(s.closers, func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_ = s.stack.Stop(ctx)
	})
	if err := s.openStores(ctx); err != nil {
		return err
	}
	vault, key, err := s.openVault(ctx)
	if err != nil {
		return err
	}
	if err := s.openService(dir, vault, key); err != nil {
		return err
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	if err := s.openServer(dir); err != nil {
		return err
	}
	return s.openEHR(dir)
}

func (s *stand) folder() (string, error) {
	if s.dir != "" {
		return s.dir, os.MkdirAll(s.dir, 0o711)
	}
	dir, err := os.MkdirTemp("", "vesper-load-")
	s.closers = append(s.closers, func() { _ = os.RemoveAll(dir) })
	return dir, err
}

func (s *stand) close() {
	s.rest()
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.closers[i]()
	}
}

func (s *stand) openStores(ctx context.Context) error {
	s.admin = s.stack.PostgresURL("")
	if err := postgres.Provision(ctx, s.admin, database, "serve-password", "work-password"); err != nil {
		return err
	}
	logins, err := postgres.LoginURLs(s.admin, database, "serve-password", "work-password")
	if err != nil {
		return err
	}
	if err := postgres.Migrate(ctx, logins.Owner, s.log); err != nil {
		return err
	}
	if s.serve, err = postgres.Open(ctx, logins.Serve, s.log); err != nil {
		return err
	}
	s.closers = append(s.closers, s.serve.Close)
	if s.work, err = postgres.Open(ctx, logins.Work, s.log); err != nil {
		return err
	}
	s.closers = append(s.closers, s.work.Close)
	return nil
}

// keys of the record.
type auditKey struct{ secret, public string }

func (s *stand) openVault(ctx context.Context) (vault, auditKey, error) {
	master := make([]byte, 32)
	_, _ = rand.Read(master) // never fails
	s3 := s.stack.S3()
	store, err := objects.Open(ctx, objects.Config{
		Endpoint: strings.TrimPrefix(s3.Endpoint, "http://"), Region: s3.Region, AccessKey: s3.AccessKey, SecretKey: s3.SecretKey.Reveal(),
		Bucket: "vesper", MasterKey: master, MaxSize: 1 << 30,
	})
	if err != nil {
		return vault{}, auditKey{}, err
	}
	secret, public, err := audit.NewKey()
	return vault{store}, auditKey{secret, public}, err
}

func frozen() (json.RawMessage, error) { return json.RawMessage(`{"model":"replayed"}`), nil }

func (s *stand) openService(dir string, v vault, k auditKey) (err error) {
	s.svc, err = pipeline.NewService(pipeline.Config{
		Store: s.serve, Objects: v, Prober: prober{}, Settings: frozen, Target: sandboxID, SpoolDir: filepath.Join(dir, "scratch", "spool"),
		MaxBytes: 1 << 30, AuditKey: k.public, Log: s.log,
	})
	if err != nil {
		return err
	}
	s.working = func() {}
	s.start = func(engine *replay, slots int) error { return s.startWorkers(dir, v, k, engine, slots) }
	return nil
}

func (s *stand) openServer(dir string) error {
	server, err := web.New(web.Config{
		Service: s.svc, Sessions: s.serve.Sessions(web.SessionPersonKey), Log: s.log, MaxUpload: 1 << 30, BehindProxy: true,
		SpoolDir: filepath.Join(dir, "scratch", "uploads"),
	})
	if err != nil {
		return err
	}
	s.url, err = s.listen(func(ctx context.Context, ln net.Listener) error { return server.Serve(ctx, ln) })
	return err
}

func (s *stand) openEHR(dir string) (err error) {
	if s.ehr, err = sandbox.Open(sandbox.Config{Dir: filepath.Join(dir, "ehr")}); err != nil {
		return err
	}
	s.closers = append(s.closers, func() { _ = s.ehr.Close() })
	s.ehrURL, err = s.listen(func(ctx context.Context, ln net.Listener) error {
		srv := &http.Server{Handler: s.ehr.Handler(), ReadHeaderTimeout: 10 * time.Second}
		go func() { <-ctx.Done(); _ = srv.Close() }()
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	return err
}

// listen serves on a port of its own until the stand closes.
func (s *stand) listen(serve func(context.Context, net.Listener) error) (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := serve(ctx, ln); err != nil {
			s.log.Error("serve", "err", err)
		}
	}()
	s.closers = append(s.closers, func() { cancel(); <-done })
	return "http://" + ln.Addr().String(), nil
}

// startWorkers runs relay, keeper and a worker with so many slots, until rest is called.
func (s *stand) startWorkers(dir string, v vault, k auditKey, engine *replay, slots int) error {
	temp := filepath.Join(dir, "scratch", "work")
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return err
	}
	target, err := fhir.New(fhir.Config{Name: sandboxID, BaseURL: s.ehrURL + "/fhir", AllowPrivate: true})
	if err != nil {
		return err
	}
	bell, err := tasks.NewBell(s.stack.RedisURL())
	if err != nil {
		return err
	}
	relay := pipeline.NewRelay(s.work, bell, s.log)
	w := &pipeline.Worker{
		Store: s.work, Objects: v, Recogniser: engine, Target: target, System: noteBase, TempDir: temp, Name: "load", Log: s.log, Kick: relay.Kick,
	}
	keeper := &pipeline.Keeper{Worker: w, Settings: func() ([]byte, error) { return frozen() }, SignKey: k.secret, Outside: v.store.PutCheckpoint, Log: s.log}
	ctx, cancel := context.WithCancel(context.Background())
	w.ID, w.Stopping = uuid.Must(uuid.NewV7()), ctx.Done()
	report := pipeline.WorkerReport{ID: w.ID, Name: w.Name, Slots: slots, Transcriptions: slots + 1, Drafts: 2, Deliveries: 3} // as vesper work
	server := &tasks.Server{URL: s.stack.RedisURL(), Do: w.Do, Concurrency: slots + 2, Light: 4, Grace: 10 * time.Second, Log: s.log}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { pipeline.Attend(ctx, s.work, report, s.log); return nil })
	g.Go(func() error { relay.Run(ctx); return nil })
	g.Go(func() error { keeper.Run(ctx); return nil })
	g.Go(func() error { return server.Run(ctx) })
	s.working = func() {
		cancel()
		if err := g.Wait(); err != nil {
			s.log.Error("work", "err", err)
		}
		_ = bell.Close()
	}
	return nil
}

// rest ends the workers, if they run.
func (s *stand) rest() {
	if s.working != nil {
		s.working()
		s.working = func() {}
	}
}

// settle makes the practice, its people and its patients.
func (s *stand) settle(ctx context.Context) (err error) {
	hash, err := access.HashPassword(password)
	if err != nil {
		return err
	}
	known, err := s.serve.Practices(ctx)
	if err != nil {
		return err
	}
	if s.practice = known[practice]; s.practice != uuid.Nil {
		return nil // a folder that stays
	}
	if s.practice, err = s.serve.CreatePractice(ctx, practice); err != nil {
		return err
	}
	return s.serve.InTx(ctx, s.practice, func(ctx context.Context, tx pipeline.Tx) error {
		for _, t := range templates.All() {
			if err := tx.InsertWorkType(ctx, t.Key, t.Name, t.LOINC.Code, t.TurnAround.Routine.Hours()); err != nil {
				return err
			}
		}
		add := func(role access.Role, login, name string) error {
			p := pipeline.Person{ID: uuid.Must(uuid.NewV7()), PracticeID: s.practice, Role: string(role), Login: login, Name: name, Credential: "MD"}
			s.people[login] = p
			return tx.InsertPerson(ctx, p, hash)
		}
		for i := range physicians {
			if err := add(access.Physician, fmt.Sprintf("dr%d", i), fmt.Sprintf("Physician Number %d", i)); err != nil {
				return err
			}
		}
		for i := range editors {
			if err := add(access.Editor, fmt.Sprintf("vma%d", i), fmt.Sprintf("Editor Number %d", i)); err != nil {
				return err
			}
		}
		if err := errors.Join(add(access.Supervisor, "boss", "Supervisor"), add(access.Compliance, "casey", "Compliance")); err != nil {
			return err
		}
		for i := range 50 {
			p := pipeline.Patient{
				ID: uuid.Must(uuid.NewV7()), PracticeID: s.practice, MRN: fmt.Sprintf("LOAD-%04d", i), Name: fmt.Sprintf("Madeup, Person %d", i),
				BirthDate: "1960-04-30", Sex: "female", EHRRef: fmt.Sprintf("Patient/p%d", i),
			}
			s.patients = append(s.patients, p)
			if err := tx.InsertPatient(ctx, p); err != nil {
				return err
			}
		}
		return nil
	})
}

// login opens a session for one of the people, from an address of its own.
func (s *stand) login(ctx context.Context, login string, through http.RoundTripper) (*client.Client, error) {
	c, err := client.New(s.url)
	if err != nil {
		return nil, err
	}
	_, err = c.Through(through).Login(ctx, login, password)
	return c, err
}

// from is a round tripper whose requests come from an address of their own, as behind a proxy of the house: two hundred phones
// do not share one.
type from struct {
	address string
	next    http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (f from) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", f.address)
	return f.next.RoundTrip(r)
}

func phone(i int) from {
	return from{fmt.Sprintf("10.%d.%d.%d", 1+i/65536, i/256%256, i%256), &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second}}
}

// prober looks at uploads as in production.
type prober struct{}

// Probe implements pipeline.Prober.
func (prober) Probe(ctx context.Context, path string) error {
	_, err := audio.Probe(ctx, path, audio.Options{})
	return err
}

// vault gives the object store to the pipeline in the pipeline's words.
type vault struct{ store *objects.Store }

// Put implements pipeline.Objects.
func (v vault) Put(ctx context.Context, practice, audioID uuid.UUID, r io.Reader, size int64) (pipeline.Stored, error) {
	o, err := v.store.Put(ctx, objects.PutRequest{Practice: practice, AudioID: audioID, Size: size, Reader: r})
	if err != nil {
		return pipeline.Stored{}, err
	}
	return pipeline.Stored{Key: o.Key, SHA256: o.SHA256, Size: o.Size, SealedKey: o.SealedKey, VersionID: o.VersionID}, nil
}

// Open implements pipeline.Objects.
func (v vault) Open(ctx context.Context, a pipeline.Audio) (io.ReadSeekCloser, error) {
	return v.store.Get(ctx, objects.Object{
		Practice: a.PracticeID, AudioID: a.ID, Key: a.Key, VersionID: a.VersionID, Size: a.Size, SHA256: a.SHA256, SealedKey: a.SealedKey,
	})
}
