package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"golang.org/x/term"

	"vesper/internal/fault"
	"vesper/internal/services"
	"vesper/storage/postgres"
)

// statusCmd shows how things stand: of a running `vesper up` by its data folder, or of the services given by flags.
type statusCmd struct {
	databaseFlags
	serviceFlags
	Data       string        `help:"Data folder of vesper up." default:"./data" placeholder:"DIR"`
	MetricsURL string        `help:"Where a worker's metrics are, for the engine's speed; vesper up says so itself." name:"metrics-url" placeholder:"URL"`
	Watch      bool          `help:"Keep it live, until Ctrl-C."`
	Every      time.Duration `help:"How often --watch looks again." default:"2s"`
	JSON       bool          `help:"Print JSON; with --watch one report a line."`
}

// Run prints the report and fails when something needs a person.
func (c *statusCmd) Run(rt *runtime) error {
	look, err := c.open(rt)
	if err != nil {
		return err
	}
	defer look.close()
	if c.Watch {
		return c.follow(rt, look)
	}
	r := look.report(rt.ctx)
	if err := c.print(rt, r); err != nil {
		return err
	}
	if len(r.Needs) > 0 {
		return fault.New(fault.Unavailable, "needs_attention", "Something needs a person; the report says what.")
	}
	return nil
}

// open finds out where to look.
func (c *statusCmd) open(rt *runtime) (*looker, error) {
	db, f, metrics, dir := c.databaseFlags, c.serviceFlags, c.MetricsURL, ""
	if db.DatabaseURL == "" {
		if _, running := services.Running(c.Data); !running {
			return nil, fault.New(fault.Invalid, "not_running", "No vesper up runs on "+c.Data+". Give its folder with --data, or the services with --database-url and the other flags.")
		}
		var err error
		if db, f, err = attach(c.Data); err != nil {
			return nil, err
		}
		note := readWhereabouts(c.Data)
		f.EHRName, f.EHRURL, f.EHRToken, f.EHRAllowPrivate = "ehr", note.EHR, c.EHRToken, true
		if metrics == "" {
			metrics = note.Metrics
		}
		dir = c.Data
	}
	store, err := postgres.Open(rt.ctx, db.DatabaseURL, rt.log)
	if err != nil {
		return nil, err
	}
	return &looker{rt: rt, store: store, db: db, flags: f, metrics: metrics, dir: dir}, nil
}

func (c *statusCmd) print(rt *runtime, r report) error {
	if c.JSON {
		enc := json.NewEncoder(rt.out)
		if !c.Watch {
			enc.SetIndent("", "  ")
		}
		return enc.Encode(r)
	}
	f, _ := rt.out.(*os.File)
	_, err := fmt.Fprint(rt.out, view{colour: colourful(f)}.text(r))
	return err
}

// follow shows a new report every few seconds. On a terminal each goes over the one before, line by line, so that nothing
// flickers; elsewhere they follow one another.
func (c *statusCmd) follow(rt *runtime, look *looker) error {
	f, _ := rt.out.(*os.File)
	terminal := f != nil && term.IsTerminal(int(f.Fd())) && !c.JSON
	if terminal {
		fmt.Fprint(rt.out, "\033[?25l\033[2J") // no cursor, one clean screen
		defer fmt.Fprint(rt.out, "\033[?25h\n")
	}
	tick := time.NewTicker(max(200*time.Millisecond, c.Every))
	defer tick.Stop()
	for {
		r := look.report(rt.ctx)
		if rt.ctx.Err() != nil {
			return nil
		}
		if err := c.show(rt, r, f, terminal); err != nil {
			return err
		}
		select {
		case <-rt.ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (c *statusCmd) show(rt *runtime, r report, f *os.File, terminal bool) error {
	if !terminal {
		err := c.print(rt, r)
		if err == nil && !c.JSON {
			_, err = fmt.Fprintln(rt.out)
		}
		return err
	}
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil {
		width, height = 100, 40
	}
	_, err = fmt.Fprint(rt.out, view{colour: colourful(f), width: width, height: height}.over(r))
	return err
}

// colourful says whether to use colours: on a terminal, unless NO_COLOR is set.
func colourful(f *os.File) bool {
	return f != nil && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""
}
