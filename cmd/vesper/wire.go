package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"vesper/ehr/fhir"
	"vesper/internal/fault"
	"vesper/pipeline"
	"vesper/pipeline/tasks"
	"vesper/storage/objects"
	"vesper/storage/postgres"
	"vesper/transcribe/audio"
	"vesper/web"
)

// parts are what serving and working share: the truth, the recordings and the doorbell.
type parts struct {
	store   *postgres.Store
	objects *objects.Store
	bell    *tasks.Bell
	relay   *pipeline.Relay
	closers []func() error
	flags   serviceFlags
	auditPK string
	base    string // public address of the web server, for links in messages
}

// open connects to the services. PostgreSQL and the S3 store must be there; Redis may come later.
func open(rt *runtime, db databaseFlags, f serviceFlags) (*parts, error) {
	err := need(map[string]string{
		"database-url": db.DatabaseURL, "redis-url": f.RedisURL, "s3-endpoint": f.S3Endpoint, "s3-access-key": f.S3AccessKey,
		"s3-secret-key": f.S3SecretKey, "master-key-file": f.MasterKeyFile, "audit-public-key": f.AuditPublicKey, "ehr-url": f.EHRURL,
	})
	if err != nil {
		return nil, err
	}
	p := &parts{flags: f, auditPK: textOrFile(f.AuditPublicKey)}
	if p.store, err = postgres.Open(rt.ctx, db.DatabaseURL, rt.log); err != nil {
		return nil, err
	}
	if err := p.store.RequireSchema(rt.ctx); err != nil {
		p.store.Close()
		return nil, err
	}
	f.aroundStore = rt.watch.store()
	if p.objects, err = openObjects(rt.ctx, f); err != nil {
		p.store.Close()
		return nil, err
	}
	if p.bell, err = tasks.NewBell(f.RedisURL); err != nil {
		p.store.Close()
		return nil, err
	}
	p.relay = pipeline.NewRelay(p.store, rt.watch.bell(p.bell), rt.log)
	return p, nil
}

func (p *parts) close() {
	for _, c := range p.closers {
		_ = c() // connections that are done with: nothing is left to fail
	}
	p.bell.Close()
	p.store.Close()
}

// httpFlags shape the web server.
type httpFlags struct {
	Listen        string        `help:"Address to listen on." default:"127.0.0.1:8080"`
	BaseURL       string        `help:"Public address of the server; https turns secure cookies on." placeholder:"URL"`
	IdleTimeout   time.Duration `help:"Log-off after this time without activity." default:"15m"`
	SessionLength time.Duration `help:"Longest session." default:"12h"`
	BehindProxy   bool          `help:"A proxy of your own adds X-Forwarded-For: rate limits then count its clients."`
	TLSCert       string        `help:"Certificate to serve TLS with, PEM." name:"tls-cert" placeholder:"FILE"`
	NoQueuePages  bool          `help:"Do not show the work queue's own pages to administrators (/operations/queues/)."`
	TLSKey        string        `help:"Key of that certificate, PEM." name:"tls-key" placeholder:"FILE"`
}

// newService builds the service for people. kick wakes a relay in the same process, if there is one; settings freezes
// what workers will transcribe with.
func newService(rt *runtime, p *parts, kick func(), settings func() (json.RawMessage, error)) (*pipeline.Service, error) {
	spool := filepath.Join(p.flags.ScratchDir, "spool")
	sweep(rt, spool, "upload-", p.flags.leftoverAge())
	hooks, err := newHooks(p.flags, p.base)
	if err != nil {
		return nil, err
	}
	return pipeline.NewService(pipeline.Config{
		Store: p.store, Objects: vault{p.objects, p.flags.lock()}, Parts: p.parts(), Prober: prober{}, Settings: settings, Target: p.flags.EHRName,
		SpoolDir: spool, MaxBytes: p.flags.MaxRecordingBytes, QueueLimit: p.flags.QueueLimit, AuditKey: p.auditPK,
		Outside: p.objects.Checkpoints, Kick: kick, Hooks: hooks, Log: rt.log,
	})
}

// parts keeps the pieces of uploads that are listened to while they arrive; nil where they are not.
func (p *parts) parts() pipeline.Parts {
	if !p.flags.ListenEarly {
		return nil
	}
	return vault{store: p.objects}
}

// newServer builds the web server around the service.
func newServer(rt *runtime, p *parts, svc *pipeline.Service, f httpFlags) (*web.Server, error) {
	var secure *tls.Config
	if f.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(f.TLSCert, f.TLSKey)
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "tls_certificate", "The TLS certificate or its key cannot be read. Check --tls-cert and --tls-key.")
		}
		secure = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	queues, err := newQueuePages(p, f)
	if err != nil {
		return nil, err
	}
	return web.New(web.Config{
		Watch: rt.watch.requests(), Traces: rt.watch.provider(), Queues: queues,
		BehindProxy: f.BehindProxy, TLS: secure, SecureCookies: secure != nil,
		Service: rt.watch.service(svc), Sessions: p.store.Sessions(web.SessionPersonKey), Log: rt.log, BaseURL: f.BaseURL, MaxUpload: p.flags.MaxRecordingBytes,
		SpoolDir: filepath.Join(p.flags.ScratchDir, "uploads"), SpoolLimit: p.flags.SpoolLimit, IdleTimeout: f.IdleTimeout, SessionLength: f.SessionLength,
		Ready: func(ctx context.Context) error {
			if err := p.store.Ping(ctx); err != nil {
				return err
			}
			return p.objects.Health(ctx)
		},
	})
}

// newWorker builds the worker of the automatic stages around a recogniser.
func newWorker(rt *runtime, p *parts, r *recogniser) (*pipeline.Worker, error) {
	target, err := fhir.New(fhir.Config{
		Name: p.flags.EHRName, BaseURL: p.flags.EHRURL, Token: p.flags.EHRToken, AllowPrivate: p.flags.EHRAllowPrivate,
		Wrap: rt.watch.ehr(),
	})
	if err != nil {
		return nil, err
	}
	temp := filepath.Join(p.flags.ScratchDir, "work")
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "temp_unavailable", "The scratch folder cannot be written. Check --scratch-dir.")
	}
	sweep(rt, temp, "transcribe-", p.flags.leftoverAge())
	host, _ := os.Hostname()
	writing, err := findStyle(p.flags.Style)
	if err != nil {
		return nil, err
	}
	return &pipeline.Worker{
		Watch: rt.watch.stages(), Traces: rt.watch.provider(),
		Store: rt.watch.queue(p.store), Objects: vault{store: p.objects}, Recogniser: rt.watch.recogniser(r), Target: target, System: p.flags.NoteSystem, TempDir: temp,
		Chart: fhir.Chart{Client: target, Lexicon: r.lexicon}, Lexicon: r.lexicon, Style: writing, Name: host, Log: rt.log, Kick: p.relay.Kick,
	}, nil
}

// leftoverAge is how old a temporary recording must be to be a leftover: in a folder of our own everything is at the
// start; where other processes may be at work, what is older than any of them takes.
func (f serviceFlags) leftoverAge() time.Duration {
	if f.ownScratch {
		return 0
	}
	return 24 * time.Hour
}

// sweep removes the recordings that a killed process left behind: outside of the object store they are not encrypted.
func sweep(rt *runtime, dir, prefix string, age time.Duration) {
	if err := pipeline.SweepTemp(dir, prefix+"*", age); err != nil {
		rt.log.Warn("remove temporary recordings of a killed process", "err", err)
	}
}

// work keeps house and, as soon as engine has an engine, answers doorbells, until ctx ends. The house is kept without an
// engine too: the record is sequenced and claims that ran out are released while a model is still on its way.
func work(ctx context.Context, rt *runtime, p *parts, engine func(context.Context) (*recogniser, error), settings func() ([]byte, error), auditKey string) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return keepHouse(ctx, rt, p, settings, auditKey) })
	g.Go(func() error {
		err := answer(ctx, rt, p, engine)
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return nil // told to stop while the engine was still being made
		}
		return err
	})
	return g.Wait()
}

// keepHouse relays, keeps house and carries messages until ctx ends.
func keepHouse(ctx context.Context, rt *runtime, p *parts, settings func() ([]byte, error), auditKey string) error {
	courier, err := newCourier(rt, p)
	if err != nil {
		return err
	}
	// Of the worker a keeper needs only what moves dictations and jobs along, not the engine.
	keeper := &pipeline.Keeper{
		Worker: &pipeline.Worker{Store: rt.watch.queue(p.store), Kick: p.relay.Kick, Log: rt.log}, Settings: settings, SignKey: auditKey,
		Watch: rt.watch.stages(), Outside: p.objects.PutCheckpoint, Log: rt.log,
	}
	arriving := &pipeline.ArrivingKeeper{Store: p.store, Parts: vault{store: p.objects}, Log: rt.log, Watch: rt.watch.stages()}
	rt.log.Info("keeping house", "version", buildInfo())
	var g sync.WaitGroup
	for _, run := range []func(context.Context){p.relay.Run, keeper.Run, arriving.Run, newKeeper(rt, p, auditKey).Run, courier.Run} {
		g.Go(func() { run(ctx) })
	}
	g.Wait()
	return nil
}

// What a worker takes at once. One recording more than the engine has slots keeps it busy while another one is fetched and
// decoded; the slots are shared by chunk. One hand more is left free for what is STAT.
const (
	spareTranscriptions = 1
	spareStat           = 1
	draftsAtOnce        = 2
	deliveriesAtOnce    = 3 // of lightAtOnce, so that a slow EHR does not hold up drafts
	lightAtOnce         = 4
)

// answer makes the engine and answers doorbells until ctx ends.
func answer(ctx context.Context, rt *runtime, p *parts, engine func(context.Context) (*recogniser, error)) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	host, _ := os.Hostname()
	report := pipeline.WorkerReport{ID: id, Name: host}
	waiting, ready := context.WithCancel(ctx)
	attending := make(chan struct{})
	go func() { defer close(attending); pipeline.Attend(waiting, p.store, report, rt.log) }() // it is there, and takes nothing yet
	r, err := engine(ctx)
	ready()
	<-attending
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := newWorker(rt, p, r)
	if err != nil {
		return err
	}
	w.ID, w.Stopping = id, ctx.Done()
	rt.log.Info("working", "version", buildInfo(), "slots", r.Slots())
	report.Slots, report.Transcriptions = r.Slots(), r.Slots()+spareTranscriptions
	report.Drafts, report.Deliveries = draftsAtOnce, deliveriesAtOnce
	server := &tasks.Server{
		URL: p.flags.RedisURL, Do: w.Do, Concurrency: report.Transcriptions + spareStat, Light: lightAtOnce, Grace: r.flags.Grace, Log: rt.log,
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { pipeline.Attend(gctx, p.store, report, rt.log); return nil })
	g.Go(func() error { return server.Run(gctx) })
	if p.flags.ListenEarly {
		l := pipeline.NewListener(w, vault{store: p.objects}, r.Slots())
		g.Go(func() error { l.Run(gctx); return nil })
	}
	return g.Wait()
}

// prober looks at uploads before they are taken.
type prober struct{}

// Probe implements pipeline.Prober.
func (prober) Probe(ctx context.Context, path string) error {
	_, err := audio.Probe(ctx, path, audio.Options{})
	return err
}

// buildInfo is what the binary was built from, for the log.
func buildInfo() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return version + " " + info.GoVersion
	}
	return version
}
