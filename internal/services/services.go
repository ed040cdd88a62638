package services

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"vesper/internal/fault"
)

// The names of the services, as they appear in logs, ports.json and Config.Only.
const (
	Postgres = "postgres"
	Redis    = "redis"
	S3Store  = "s3"
)

// Config says where the services live. Only Dir is required.
type Config struct {
	// Dir is the data folder; it is made when absent.
	Dir string
	// Log tells what happens. nil: nothing is said.
	Log *slog.Logger
	// Only names the services to start. Empty: all of them.
	Only []string
	// PostgresPort, RedisPort and S3Port are wishes. 0: the port of the last run, or the next free one from 15432, 16379
	// and 17070. A taken port is replaced by the next free one, and the log says so.
	PostgresPort, RedisPort, S3Port int
	// AnyPort takes ports from the kernel instead, for tests that run beside each other.
	AnyPort bool
	// Database is made when absent. Empty: "vesper".
	Database string
	// Logins are PostgreSQL roles that are made when absent and given their password; they own nothing.
	Logins []string
	// RedisDatabases is how many logical databases Redis offers. 0: 16, its own default.
	RedisDatabases int
	// Volatile gives up safety against a power cut for speed. Only for tests.
	Volatile bool
	// StartWithin bounds the start of one service. 0: one minute.
	StartWithin time.Duration
}

func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Database == "" {
		c.Database = "vesper"
	}
	if c.RedisDatabases == 0 {
		c.RedisDatabases = 16
	}
	if c.StartWithin == 0 {
		c.StartWithin = time.Minute
	}
	if len(c.Only) == 0 {
		c.Only = []string{Postgres, Redis, S3Store}
	}
	return c
}

// Stack is a running set of services. Its methods may be called from any goroutine.
type Stack struct {
	cfg     Config
	lock    *lock
	secrets *Secrets
	ports   *ports
	keeper  *keeper
	table   []Spec
	procs   map[string]*Process

	stopOnce sync.Once
	stopErr  error
}

// Up starts the services of cfg.Dir and returns when each of them answers. Faults: already_running (another supervisor
// holds the folder), data_folder_unwritable, disk_full, postgres_missing and the like (a program is not installed),
// secrets_missing, service_not_started. When it fails, nothing is left running.
func Up(ctx context.Context, cfg Config) (*Stack, error) {
	cfg = cfg.withDefaults()
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("services: data folder: %w", err)
	}
	cfg.Dir = dir
	if err := prepareFolder(dir); err != nil {
		return nil, err
	}
	held, err := takeLock(dir)
	if err != nil {
		return nil, err
	}
	s := &Stack{cfg: cfg, lock: held, keeper: newKeeper(), procs: map[string]*Process{}}
	if err := s.up(ctx); err != nil {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		return nil, errors.Join(err, s.Stop(stopCtx))
	}
	return s, nil
}

func (s *Stack) up(ctx context.Context) (err error) {
	if err := checkDisk(s.cfg.Dir); err != nil {
		return err
	}
	if s.secrets, err = OpenSecrets(s.cfg.Dir); err != nil {
		return err
	}
	if err := stopLeftovers(ctx, s.cfg.Dir, s.cfg.Log); err != nil {
		return err
	}
	if s.ports, err = openPorts(s.cfg.Dir, s.cfg.AnyPort, s.cfg.Log); err != nil {
		return err
	}
	if s.table, err = s.buildTable(ctx); err != nil {
		return err
	}
	for _, spec := range s.table {
		s.procs[spec.Name] = newProcess(spec, s.cfg.Dir, s.keeper, s.cfg.Log)
	}
	if err := s.startAll(ctx); err != nil {
		return err
	}
	if s.procs[Postgres] != nil {
		return s.preparePostgres(ctx)
	}
	return nil
}

// startAll starts each service as soon as what it needs is ready, so that independent ones start side by side.
func (s *Stack) startAll(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ready := map[string]chan struct{}{}
	for _, spec := range s.table {
		ready[spec.Name] = make(chan struct{})
	}
	errs := make(chan error, len(s.table))
	for _, spec := range s.table {
		go func() {
			for _, need := range spec.Needs {
				select {
				case <-ready[need]:
				case <-ctx.Done():
					errs <- ctx.Err()
					return
				}
			}
			err := s.procs[spec.Name].Start(ctx)
			if err == nil {
				close(ready[spec.Name])
			} else {
				cancel()
			}
			errs <- err
		}()
	}
	var first error
	for range s.table {
		// The first error is the reason; the others are only the cancellation that followed.
		if err := <-errs; err != nil && (first == nil || errors.Is(first, context.Canceled)) {
			first = err
		}
	}
	return first
}

// Stop ends the services in reverse order and frees the folder. It may be called again, and then returns the same.
// When ctx ends first, what still runs is killed.
func (s *Stack) Stop(ctx context.Context) error {
	s.stopOnce.Do(func() { s.stopErr = s.stop(ctx) })
	return s.stopErr
}

func (s *Stack) stop(ctx context.Context) error {
	var errs []error
	for _, v := range slices.Backward(s.table) {
		if p := s.procs[v.Name]; p != nil {
			errs = append(errs, p.Stop(ctx))
		}
	}
	s.keeper.close()
	errs = append(errs, s.lock.release())
	return errors.Join(errs...)
}

// Kill ends every child with SIGKILL and frees the folder, as a crash of the whole tree would. For tests.
func (s *Stack) Kill() {
	s.stopOnce.Do(func() {
		for _, p := range s.procs {
			p.abandon()
		}
		s.keeper.close()
		s.stopErr = s.lock.release()
	})
}

// Process returns a service by name, or nil when it was not asked for: to stop, start or kill it in tests of recovery.
func (s *Stack) Process(name string) *Process { return s.procs[name] }

// Dir is the absolute path of the data folder.
func (s *Stack) Dir() string { return s.cfg.Dir }

// Secrets are the passwords and keys of this folder.
func (s *Stack) Secrets() *Secrets { return s.secrets }

// Port returns a free port for another server of this folder (the web server, the sandbox EHR), the same one as last
// time when it is still free. wish 0: any. The answer is remembered in ports.json.
func (s *Stack) Port(name string, wish int) (int, error) { return s.ports.choose(name, wish) }

// Status is one service as it is now.
type Status struct {
	Name     string
	Up       bool
	PID      int
	Port     int
	Restarts int
}

// Status lists the services in start order.
func (s *Stack) Status() []Status {
	var all []Status
	for _, spec := range s.table {
		st := s.procs[spec.Name].Status()
		st.Port = s.ports.get(spec.Name)
		all = append(all, st)
	}
	return all
}

func prepareFolder(dir string) error {
	// As root, PostgreSQL runs under another account, which must be able to pass through.
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return folderFault(err, "make the data folder")
	}
	for _, sub := range []string{"secrets", "run", "logs", "redis", "s3"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return folderFault(err, "make the data folder")
		}
	}
	probe := filepath.Join(dir, "run", ".writable")
	if err := os.WriteFile(probe, []byte("vesper\n"), 0o600); err != nil {
		return folderFault(err, "write to the data folder")
	}
	return os.Remove(probe)
}

func folderFault(err error, op string) error {
	if isDiskFull(err) {
		return diskFull(err)
	}
	return fault.Wrap(fmt.Errorf("%s: %w", op, err), fault.Unavailable, "data_folder_unwritable",
		"The data folder cannot be written. Check its owner and permissions, or choose another folder with --data.")
}
