package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"vesper/ehr/sandbox"
	"vesper/internal/audit"
	"vesper/internal/backup"
	"vesper/internal/fault"
	"vesper/internal/services"
	"vesper/pipeline"
	"vesper/storage/postgres"
	"vesper/web"
)

// upCmd runs everything on one machine, in one data folder.
type upCmd struct {
	engineFlags
	noticeFlags
	keepingFlags
	styleFlag
	limitFlags
	Data          string        `help:"Data folder." default:"./data" placeholder:"DIR"`
	Listen        string        `help:"Address of the web server; a taken port gives way to the next free one." default:"127.0.0.1:8080"`
	BaseURL       string        `help:"Public address of the web server, for links in messages; https turns secure cookies on. Empty: where it listens." placeholder:"URL"`
	BehindProxy   bool          `help:"A proxy of your own adds X-Forwarded-For: rate limits then count its clients."`
	Demo          bool          `help:"Create a fictional practice with logins and submit a sample dictation."`
	IdleTimeout   time.Duration `help:"Log-off after this time without activity." default:"15m"`
	EHRURL        string        `help:"Base address of a FHIR R4 API to deliver to, instead of the sandbox." name:"ehr-url" placeholder:"URL"`
	EHRToken      string        `help:"Bearer token for that EHR." name:"ehr-token"`
	MetricsListen string        `help:"Address for Prometheus to scrape /metrics from; a taken port gives way to the next free one. Empty: none." default:"127.0.0.1:9464"`
	ListenEarly   bool          `help:"Listen to long recordings while they still arrive." default:"true" negatable:""`
	Force         bool          `help:"Start also on a restored folder whose check found differences."`
	AnyPort       bool          `help:"Take ports from the kernel instead of remembered ones; for tests that run beside each other." hidden:""`
	ready         func(*node)   // told once everything answers
	quiet         bool
}

// node is a running one-machine Vesper.
type node struct {
	URL        string // of the web server
	SandboxURL string // FHIR base of the sandbox EHR
	Logins     []login
	parts      *parts
}

// Run starts everything, and stops it in reverse order when told to.
func (c *upCmd) Run(rt *runtime) error {
	if err := c.check(); err != nil {
		return err
	}
	if _, err := findStyle(c.Style); err != nil { // before anything starts
		return err
	}
	dir, err := filepath.Abs(c.Data)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if c.VocabularyDir == "" {
		c.VocabularyDir = vocabularyFolder{Data: dir}.path()
	}
	if err := backup.Blocked(dir, c.Force); err != nil {
		return err
	}
	say(rt, c.quiet, "Starting Vesper in %s", dir)
	if _, running := services.Running(dir); !running { // the log belongs to who runs
		closeLog, err := logTo(rt, dir)
		if err != nil {
			return err
		}
		defer closeLog()
	}
	stack, err := services.Up(rt.ctx, services.Config{Dir: dir, Log: rt.log, AnyPort: c.AnyPort})
	if err != nil {
		return err
	}
	defer closeQuietly(context.WithoutCancel(rt.ctx), rt, "stop services", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		err := stack.Stop(ctx)
		say(rt, c.quiet, "Stopped.")
		return err
	})
	return c.runOn(rt, stack, dir)
}

// runOn prepares the database and keys on running services, then runs the roles.
func (c *upCmd) runOn(rt *runtime, stack *services.Stack, dir string) error {
	urls, err := prepareDatabase(rt, stack)
	if err != nil {
		return err
	}
	keys, err := prepareKeys(dir)
	if err != nil {
		return err
	}
	sandboxURL, stopSandbox, err := c.startSandbox(rt, stack, dir)
	if err != nil {
		return err
	}
	defer stopSandbox()
	flags := c.serviceFlags(stack, keys, sandboxURL)
	stopWatching, err := c.watching(rt, dir, flags.EHRURL)
	if err != nil {
		return err
	}
	defer stopWatching()
	front, err := open(rt, databaseFlags{urls.Serve}, flags)
	if err != nil {
		return err
	}
	defer front.close()
	rt.watch.count(front.store)
	back, err := open(rt, databaseFlags{urls.Work}, flags)
	if err != nil {
		return err
	}
	defer back.close()
	return c.roles(rt, front, back, keys, sandboxURL, dir)
}

// roles runs web server and worker in this process; the engine runs in children of its own.
func (c *upCmd) roles(rt *runtime, front, back *parts, keys auditKeys, sandboxURL, dir string) error {
	settings := func() ([]byte, error) { return c.engineFlags.settings() }
	svc, err := newService(rt, front, back.relay.Kick, func() (json.RawMessage, error) { return settings() })
	if err != nil {
		return err
	}
	ln, err := c.listener()
	if err != nil {
		return err
	}
	defer ln.Close()
	server, err := newServer(rt, front, svc, httpFlags{BaseURL: c.BaseURL, BehindProxy: c.BehindProxy, IdleTimeout: c.IdleTimeout, SessionLength: 12 * time.Hour})
	if err != nil {
		return err
	}
	back.base = cmp.Or(c.BaseURL, "http://"+ln.Addr().String())
	n := &node{URL: "http://" + ln.Addr().String(), SandboxURL: sandboxURL, parts: back}
	if c.Demo {
		if n.Logins, err = seedDemo(rt, front.store, svc, dir); err != nil {
			return err
		}
	}
	g, ctx := errgroup.WithContext(rt.ctx)
	g.Go(func() error { return server.Serve(ctx, ln) })
	// A newer program can migrate this database too, while this one runs (vesper migrate with the login of its owner).
	g.Go(func() error { return front.store.WatchSchema(ctx, postgres.SchemaCheckEvery) })
	g.Go(func() error { front.store.Sessions(web.SessionPersonKey).Clean(ctx, time.Hour); return nil })
	g.Go(func() error { return c.engineRole(ctx, rt, back, settings, keys) })
	c.announce(rt, n)
	if c.ready != nil {
		c.ready(n)
	}
	return g.Wait()
}

// engineRole works. A missing model stops nothing else: recordings are still taken, and wait.
func (c *upCmd) engineRole(ctx context.Context, rt *runtime, p *parts, settings func() ([]byte, error), keys auditKeys) error {
	engine := func(ctx context.Context) (*recogniser, error) { return waitForRecogniser(ctx, rt, c.engineFlags) }
	return work(ctx, rt, p, engine, settings, keys.secret)
}

// serviceFlags point at the local stack and at the configured EHR or the sandbox.
func (c *upCmd) serviceFlags(stack *services.Stack, keys auditKeys, sandboxURL string) serviceFlags {
	f := localServices(stack, keys)
	f.ListenEarly = c.ListenEarly
	if c.ObjectLock != "" { // read from a command line
		f.keepingFlags, f.limitFlags = c.keepingFlags, c.limitFlags
	}
	f.styleFlag = c.styleFlag
	f.EHRName, f.EHRURL, f.EHRToken = "ehr", c.EHRURL, c.EHRToken
	if f.EHRURL == "" {
		f.EHRName, f.EHRURL, f.EHRAllowPrivate = "sandbox", sandboxURL, true
	}
	f.noticeFlags = c.noticeFlags
	return f
}

// listener takes the wished port or the next free one.
func (c *upCmd) listener() (net.Listener, error) {
	if c.AnyPort {
		return net.Listen("tcp", "127.0.0.1:0")
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "listen_address", "The address of --listen must look like 127.0.0.1:8080.")
	}
	var first int
	if _, err := fmt.Sscan(port, &first); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "listen_address", "The address of --listen must look like 127.0.0.1:8080.")
	}
	for p := first; p < first+50; p++ {
		if ln, err := net.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(p))); err == nil {
			return ln, nil
		}
	}
	return nil, fault.New(fault.Unavailable, "port_taken", fmt.Sprintf("No free port from %d on. Choose another address with --listen.", first))
}

// startSandbox runs the sandbox EHR, unless a real one is configured.
func (c *upCmd) startSandbox(rt *runtime, stack *services.Stack, dir string) (string, func(), error) {
	if c.EHRURL != "" {
		return c.EHRURL, func() {}, nil
	}
	s, err := sandbox.Open(sandbox.Config{Dir: filepath.Join(dir, "sandbox-ehr"), Log: rt.log})
	if err != nil {
		return "", nil, err
	}
	port := 0
	if !c.AnyPort {
		if port, err = stack.Port("sandbox-ehr", 18080); err != nil {
			return "", nil, err
		}
	}
	ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return "", nil, fault.Wrap(err, fault.Unavailable, "port_taken", "The sandbox EHR found no free port.")
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(rt.ctx))
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		if err := serveHTTP(ctx, rt, ln, s.Handler()); err != nil {
			rt.log.Error("sandbox EHR", "err", err)
		}
	}()
	stop := func() {
		cancel()
		<-stopped
		closeQuietly(ctx, rt, "close sandbox EHR", func(context.Context) error { return s.Close() })
	}
	return "http://" + ln.Addr().String() + "/fhir", stop, nil
}

// prepareDatabase makes roles and schema and returns the logins' addresses.
func prepareDatabase(rt *runtime, stack *services.Stack) (postgres.Logins, error) {
	logins, err := localLogins(stack)
	if err != nil {
		return logins, err
	}
	err = postgres.Provision(rt.ctx, stack.PostgresURL(""), mainDatabase, password(logins.Serve), password(logins.Work))
	if err != nil {
		return logins, err
	}
	return logins, postgres.Migrate(rt.ctx, logins.Owner, rt.log)
}

// password is the password in an address.
func password(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	pw, _ := u.User.Password()
	return pw
}

// auditKeys sign and verify the audit log's checkpoints.
type auditKeys struct{ secret, public string }

// prepareKeys makes the audit log's keys on the first start.
func prepareKeys(dir string) (auditKeys, error) {
	secretFile, publicFile := filepath.Join(dir, "secrets", "audit_signing_key"), filepath.Join(dir, "secrets", "audit_public_key")
	public, err := os.ReadFile(publicFile)
	if err == nil {
		secret, err := readKey(secretFile)
		return auditKeys{secret, string(public)}, err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return auditKeys{}, fmt.Errorf("read audit key: %w", err)
	}
	secret, pub, err := audit.NewKey()
	if err != nil {
		return auditKeys{}, fmt.Errorf("make audit key: %w", err)
	}
	// The public key is written last: its presence says that both are there.
	if err := os.WriteFile(secretFile, []byte(secret), 0o600); err != nil {
		return auditKeys{}, fmt.Errorf("write audit key: %w", err)
	}
	if err := os.WriteFile(publicFile+".new", []byte(pub), 0o600); err != nil {
		return auditKeys{}, fmt.Errorf("write audit key: %w", err)
	}
	if err := os.Rename(publicFile+".new", publicFile); err != nil {
		return auditKeys{}, fmt.Errorf("write audit key: %w", err)
	}
	return auditKeys{secret, pub}, nil
}

// serveHTTP serves the sandbox until ctx ends, then drains for a few seconds.
func serveHTTP(ctx context.Context, rt *runtime, ln net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slogErrors(rt.log)}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return srv.Shutdown(drain)
}

func (c *upCmd) announce(rt *runtime, n *node) {
	if c.quiet {
		return
	}
	say(rt, false, "\n  Vesper is ready:   %s\n  Sandbox EHR:       %s   (fictional patients only)\n", n.URL, trimFHIR(n.SandboxURL))
	printLogins(rt, n.Logins)
	say(rt, false, "  Stop with Ctrl-C.\n")
}

func say(rt *runtime, quiet bool, format string, args ...any) {
	if !quiet {
		fmt.Fprintf(rt.out, format+"\n", args...)
	}
}

var _ pipeline.Objects = vault{}
