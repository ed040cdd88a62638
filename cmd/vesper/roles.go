package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"vesper/internal/fault"
	"vesper/storage/postgres"
	"vesper/web"
)

// serveCmd runs the web server alone.
type serveCmd struct {
	databaseFlags
	serviceFlags
	engineFlags
	httpFlags
	watchFlags
}

// Run serves until the process is told to stop.
func (c *serveCmd) Run(rt *runtime) error {
	if err := c.check(); err != nil {
		return err
	}
	stopWatching, err := c.watchFlags.start(rt)
	if err != nil {
		return err
	}
	defer stopWatching()
	p, err := open(rt, c.databaseFlags, c.serviceFlags)
	if err != nil {
		return err
	}
	defer p.close()
	rt.watch.count(p.store)
	svc, err := newService(rt, p, nil, func() (json.RawMessage, error) { return c.engineFlags.settings() })
	if err != nil {
		return err
	}
	server, err := newServer(rt, p, svc, c.httpFlags)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "port_taken", fmt.Sprintf("Cannot listen on %s. Choose another address with --listen.", c.Listen))
	}
	rt.log.Info("serving", "address", ln.Addr().String(), "version", buildInfo())
	g, ctx := errgroup.WithContext(rt.ctx)
	g.Go(func() error { return server.Serve(ctx, ln) })
	g.Go(func() error { return p.store.WatchSchema(ctx, postgres.SchemaCheckEvery) })
	g.Go(func() error { p.store.Sessions(web.SessionPersonKey).Clean(ctx, time.Hour); return nil })
	return g.Wait()
}

// workCmd runs a worker alone.
type workCmd struct {
	databaseFlags
	serviceFlags
	engineFlags
	Only string `help:"Only one half of the work: relay (rings workers and keeps house, needs no engine) or stages (answers). Empty: both." enum:",relay,stages" default:""`
	watchFlags
	BaseURL string `help:"Public address of the web server, for links in messages." placeholder:"URL"`
}

// Run works until the process is told to stop.
func (c *workCmd) Run(rt *runtime) error {
	if err := c.check(); err != nil {
		return err
	}
	if err := need(map[string]string{"audit-key-file": c.AuditKeyFile}); err != nil {
		return err
	}
	auditKey, err := readKey(c.AuditKeyFile)
	if err != nil {
		return err
	}
	stopWatching, err := c.watchFlags.start(rt)
	if err != nil {
		return err
	}
	defer stopWatching()
	p, err := open(rt, c.databaseFlags, c.serviceFlags)
	if err != nil {
		return err
	}
	defer p.close()
	rt.watch.count(p.store)
	p.base = c.BaseURL
	engine := func(ctx context.Context) (*recogniser, error) { return openRecogniser(ctx, rt, c.engineFlags) }
	settings := func() ([]byte, error) { return c.engineFlags.settings() }
	g, ctx := errgroup.WithContext(rt.ctx)
	g.Go(func() error { return p.store.WatchSchema(ctx, postgres.SchemaCheckEvery) })
	g.Go(func() error {
		switch c.Only {
		case "relay":
			return keepHouse(ctx, rt, p, settings, auditKey)
		case "stages":
			return answer(ctx, rt, p, engine)
		default:
			return work(ctx, rt, p, engine, settings, auditKey)
		}
	})
	return g.Wait()
}

// migrateCmd brings the schema up to date.
type migrateCmd struct {
	AdminURL       string `help:"PostgreSQL as a role that may create roles and databases: also sets up roles and logins." placeholder:"URL"`
	OwnerURL       string `help:"PostgreSQL as the owner of the database: migrates only." placeholder:"URL"`
	Database       string `help:"Name of the database that --admin-url sets up." default:"vesper"`
	ServePassword  string `help:"Password to give the web server's login (with --admin-url)."`
	WorkerPassword string `help:"Password to give the workers' login (with --admin-url)."`
}

// Run provisions if asked, then migrates.
func (c *migrateCmd) Run(rt *runtime) error {
	url := c.OwnerURL
	if c.AdminURL != "" {
		if err := postgres.Provision(rt.ctx, c.AdminURL, c.Database, c.ServePassword, c.WorkerPassword); err != nil {
			return err
		}
		logins, err := postgres.LoginURLs(c.AdminURL, c.Database, c.ServePassword, c.WorkerPassword)
		if err != nil {
			return err
		}
		url = logins.Owner
	}
	if url == "" {
		return need(map[string]string{"owner-url": ""})
	}
	return postgres.Migrate(rt.ctx, url, rt.log)
}

// practiceCmd creates a practice with its first administrator, who adds everyone else in the browser.
type practiceCmd struct {
	databaseFlags
	Name  string `arg:"" help:"Name of the practice."`
	Login string `help:"Login of the first administrator." required:""`
	Admin string `help:"Name of the first administrator." required:""`
	Data  string `help:"Data folder of a running vesper up; instead of --database-url." default:"./data" placeholder:"DIR"`
}

// Run reads the password from the terminal or standard input.
func (c *practiceCmd) Run(rt *runtime) error {
	url, err := databaseOf(c.databaseFlags, c.Data)
	if err != nil {
		return err
	}
	password, err := askPassword(rt, "Password for "+c.Login+": ")
	if err != nil {
		return err
	}
	store, err := postgres.Open(rt.ctx, url, rt.log)
	if err != nil {
		return err
	}
	defer store.Close()
	id, err := foundPractice(rt.ctx, store, c.Name, c.Login, c.Admin, password)
	if err != nil {
		return err
	}
	fmt.Fprintf(rt.out, "Practice %q created (%s). Log in as %s and add your people.\n", c.Name, id, c.Login)
	return nil
}

// closeQuietly runs a closing step whose failure changes nothing any more.
func closeQuietly(ctx context.Context, rt *runtime, what string, fn func(context.Context) error) {
	if err := fn(ctx); err != nil {
		rt.log.Warn(what, "err", err)
	}
}
