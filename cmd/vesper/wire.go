package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

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
	if p.objects, err = openObjects(rt.ctx, f); err != nil {
		p.store.Close()
		return nil, err
	}
	if p.bell, err = tasks.NewBell(f.RedisURL); err != nil {
		p.store.Close()
		return nil, err
	}
	p.relay = pipeline.NewRelay(p.store, p.bell, rt.log)
	return p, nil
}

func (p *parts) close() {
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
		Store: p.store, Objects: vault{p.objects}, Prober: prober{}, Settings: settings, Target: p.flags.EHRName,
		SpoolDir: spool, MaxBytes: p.flags.MaxRecordingBytes, AuditKey: p.auditPK,
		Outside: p.objects.Checkpoints, Kick: kick, Hooks: hooks, Log: rt.log,
	})
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
	return web.New(web.Config{
		BehindProxy: f.BehindProxy, TLS: secure, SecureCookies: secure != nil,
		Service: svc, Sessions: p.store.Sessions(web.SessionPersonKey), Log: rt.log, BaseURL: f.BaseURL, MaxUpload: p.flags.MaxRecordingBytes,
		SpoolDir: filepath.Join(p.flags.ScratchDir, "uploads"), IdleTimeout: f.IdleTimeout, SessionLength: f.SessionLength,
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
		Store: p.store, Objects: vault{p.objects}, Recogniser: r, Target: target, System: p.flags.NoteSystem, TempDir: temp,
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
	// Of the worker a keeper needs only what moves dictations and jobs along, not the engine.
	keeper := &pipeline.Keeper{
		Worker: &pipeline.Worker{Store: p.store, Kick: p.relay.Kick, Log: rt.log}, Settings: settings, SignKey: auditKey,
		Outside: p.objects.PutCheckpoint, Log: rt.log,
	}
	courier, err := newCourier(rt, p)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { p.relay.Run(ctx); return nil })
	g.Go(func() error { courier.Run(ctx); return nil })
	g.Go(func() error { keeper.Run(ctx); return nil })
	g.Go(func() error {
		err := answer(ctx, rt, p, engine)
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return nil // told to stop while the engine was still being made
		}
		return err
	})
	return g.Wait()
}

// spareSlots are doorbells answered beside those that keep the engine busy, so that a slow EHR or a long recording does not
// hold up deliveries and drafts; the engine's own slots are shared by chunk.
const spareSlots = 2

// answer makes the engine and answers doorbells until ctx ends.
func answer(ctx context.Context, rt *runtime, p *parts, engine func(context.Context) (*recogniser, error)) error {
	r, err := engine(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := newWorker(rt, p, r)
	if err != nil {
		return err
	}
	rt.log.Info("working", "version", buildInfo(), "slots", r.Slots())
	server := &tasks.Server{URL: p.flags.RedisURL, Do: w.Do, Concurrency: r.Slots() + spareSlots, Grace: 10 * time.Second, Log: rt.log}
	return server.Run(ctx)
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
