package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vesper/internal/client"
	"vesper/internal/fault"
	"vesper/internal/watch"
)

// watchCmd brings the recordings of a folder to a running server.
type watchCmd struct {
	Dir string `arg:"" help:"Folder of the recorder."`

	Server       string `help:"Address of the server." default:"http://127.0.0.1:8080" placeholder:"URL"`
	CAFile       string `help:"Certificate authority of the server, PEM, if this machine does not know it." name:"ca-file" placeholder:"FILE"`
	Login        string `help:"Your login; empty: the author's."`
	Password     string `help:"Your password; better left to VESPER_PASSWORD, --password-file or the prompt."`
	PasswordFile string `help:"File with the password, readable by its owner only." placeholder:"FILE"`

	Author   string        `help:"Login or id of the physician who dictated; empty: yourself, or as the rules say."`
	WorkType string        `help:"Kind of document, where the rules say none."`
	Stat     bool          `help:"Everything is urgent."`
	Rules    string        `help:"What goes with each recording; empty: vesper-watch.yaml in the folder (see docs/watch.md)." placeholder:"FILE"`
	Nested   bool          `help:"Look into subfolders too."`
	Sent     string        `help:"Where received recordings go; empty: sent in the folder." placeholder:"DIR"`
	Rejected string        `help:"Where unusable recordings go; empty: rejected in the folder." placeholder:"DIR"`
	Settle   time.Duration `help:"How long a recording must stay unchanged before it is sent." default:"8s"`
	Patience time.Duration `help:"How long one that looks half-written may stay unchanged before it is sent as it is." default:"10m"`
	Parallel int           `help:"Uploads at the same time." default:"2"`
	Once     bool          `help:"Send what is there, then end: 0 when nothing is left, 3 when something is, 4 when something was rejected."`

	Install   bool   `help:"Write the file by which systemd or launchd runs this, and say what to do next."`
	Uninstall bool   `help:"Remove that file."`
	User      bool   `help:"Install for yourself instead of for the machine." env:"-"`
	RunAs     string `help:"Account that runs the service; empty: the owner of the folder." placeholder:"ACCOUNT"`
	Service   bool   `hidden:"" help:"Run as a service: a wrong password is waited for, not a reason to end."`
}

// Exit codes of vesper watch, besides 0 and 1.
const (
	exitLeft     = 3
	exitRejected = 4
	exitPassword = 77
)

// exitError ends the program with a code of its own.
type exitError struct {
	error
	code int
}

func (e exitError) Unwrap() error { return e.error }

// exitCode is the code with which an error ends the program.
func exitCode(err error) int {
	var e exitError
	if errors.As(err, &e) {
		return e.code
	}
	return 1
}

// Run watches, or installs what does.
func (c *watchCmd) Run(rt *runtime) error {
	if c.Install || c.Uninstall {
		return c.service(rt)
	}
	o, err := c.options(rt)
	if err != nil {
		return err
	}
	defer o.Session.API.Close()
	tell := newTeller(rt, c.Service)
	o.Tell = tell.event
	tell.begin(c.Dir, c.Server, o.Session.Login, c.Once)
	for {
		result, err := watch.Run(rt.ctx, o)
		tell.end(result, c.Once)
		if err == nil || c.Service && rt.ctx.Err() != nil { // a service that is stopped has not failed
			return c.outcome(result)
		}
		if fault.As(err).Code != watch.CodePassword {
			return err
		}
		if !c.Service || c.PasswordFile == "" {
			return exitError{err, exitPassword}
		}
		rt.log.Error("sign in", "err", err, "next", "waiting until the password file changes or this is started again")
		if err := awaitChange(rt.ctx, c.PasswordFile); err != nil {
			return err
		}
	}
}

func (c *watchCmd) outcome(r watch.Result) error {
	switch {
	case !c.Once:
		return nil
	case r.Left > 0:
		return exitError{fault.New(fault.Unavailable, "watch_left", fmt.Sprintf("%d of the recordings are still in the folder.", r.Left)), exitLeft}
	case r.Rejected > 0:
		return exitError{fault.New(fault.Invalid, "watch_rejected", fmt.Sprintf("%d of the recordings are unusable; beside each lies a file that says why.", r.Rejected)), exitRejected}
	default:
		return nil
	}
}

func (c *watchCmd) options(rt *runtime) (watch.Options, error) {
	if c.Login == "" {
		c.Login = c.Author
	}
	if c.Login == "" {
		return watch.Options{}, need(map[string]string{"login": ""})
	}
	api, err := client.New(c.Server)
	if err != nil {
		return watch.Options{}, err
	}
	if c.CAFile != "" {
		if err := api.Trust(c.CAFile); err != nil {
			return watch.Options{}, err
		}
	}
	const looks = 4
	o := watch.Options{
		Dir: c.Dir, Sent: c.Sent, Rejected: c.Rejected, Rules: c.Rules, Nested: c.Nested, Once: c.Once, Parallel: c.Parallel,
		Poll: max(c.Settle/looks, 50*time.Millisecond), Looks: looks + 1, Patience: c.Patience,
		Defaults: watch.Fields{Author: c.Author, WorkType: c.WorkType}, Scope: strings.TrimRight(c.Server, "/") + " " + strings.ToLower(c.Login),
	}
	if c.Stat {
		o.Defaults.Priority = "stat"
	}
	o.Session = &watch.Session{API: api, Login: c.Login, Password: c.password(rt)}
	return o, nil
}

// password returns how the password is found: a file is read anew each time, the rest is asked for once.
func (c *watchCmd) password(rt *runtime) func() (string, error) {
	asked := c.Password
	return func() (string, error) {
		if asked == "" && c.PasswordFile != "" {
			return readPassword(c.PasswordFile)
		}
		if asked == "" {
			var err error
			if asked, err = askPassword(rt, "Password for "+c.Login+": "); err != nil {
				return "", err
			}
		}
		return asked, nil
	}
}

// readPassword reads a file that only its owner may read. What systemd hands over is guarded by the folder around it.
func readPassword(path string) (string, error) {
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" && filepath.Dir(path) == filepath.Clean(dir) {
		raw, err := os.ReadFile(path)
		if err != nil {
			return "", fault.Wrap(err, fault.Invalid, "key_unreadable", "The password that systemd hands over cannot be read.")
		}
		return strings.TrimRight(string(raw), "\r\n"), nil
	}
	return readKey(path)
}

// awaitChange returns when a file is not what it was.
func awaitChange(ctx context.Context, path string) error {
	was, _ := os.Stat(path) // one that is not there changes by coming
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if is, err := os.Stat(path); err == nil && (was == nil || !is.ModTime().Equal(was.ModTime()) || is.Size() != was.Size() || !os.SameFile(is, was)) {
			return nil
		}
	}
}
