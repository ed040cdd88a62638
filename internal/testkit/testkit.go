// Package testkit gives tests the real services: PostgreSQL, Redis and an S3 store, started by the test process itself
// and stopped with it. A test gets its own database, its own Redis database and its own bucket name, so tests may run in
// parallel; a test that wants to break a service asks for a private set with Own.
//
// A package that uses it has
//
//	func TestMain(m *testing.M) { testkit.Main(m) }
//
// which also fails the package when goroutines are left behind. A service that is not installed is a failure with a hint,
// never a skip.
package testkit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"vesper/internal/fault"
	"vesper/internal/services"
)

// How long the kit waits for a service to start, stop or answer.
const patience = time.Minute

// shared starts one service for the whole test process, when the first test asks for it.
type shared struct {
	name  string
	once  sync.Once
	stack *services.Stack
	err   error
}

var (
	sharedPostgres = &shared{name: services.Postgres}
	sharedRedis    = &shared{name: services.Redis}
	sharedS3       = &shared{name: services.S3Store}
)

// Main runs the tests of a package, stops the services and looks for leaked goroutines. It does not return.
func Main(m *testing.M, leaks ...goleak.Option) {
	code := m.Run()
	for _, s := range []*shared{sharedPostgres, sharedRedis, sharedS3} {
		if err := s.stop(); err != nil {
			fmt.Fprintln(os.Stderr, "testkit:", err)
			code = max(code, 1)
		}
	}
	if code == 0 {
		if err := goleak.Find(leaks...); err != nil {
			fmt.Fprintln(os.Stderr, "testkit: goroutines left behind:", err)
			code = 1
		}
	}
	os.Exit(code)
}

func (s *shared) get(t testing.TB) *services.Stack {
	t.Helper()
	s.once.Do(func() { s.stack, s.err = up(s.name) })
	if s.err != nil {
		t.Fatalf("testkit: start %s: %s", s.name, explain(s.err))
	}
	return s.stack
}

func (s *shared) stop() error {
	if s.stack == nil {
		return nil
	}
	return down(s.stack)
}

const folderPrefix = "vesper-test-"

func up(only ...string) (*services.Stack, error) {
	sweepOnce.Do(sweep)
	dir, err := os.MkdirTemp("", folderPrefix)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o711); err != nil { // PostgreSQL's account must pass through
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	stack, err := services.Up(ctx, services.Config{
		Dir: dir, Only: only, AnyPort: true, Volatile: true, RedisDatabases: redisDatabases, Log: logger(),
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return stack, nil
}

func down(stack *services.Stack) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return errors.Join(stack.Stop(ctx), os.RemoveAll(stack.Dir()))
}

// logger speaks only of trouble, unless VESPER_TEST_LOG is set.
func logger() *slog.Logger {
	level := slog.LevelError
	if os.Getenv("VESPER_TEST_LOG") != "" {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}

func explain(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return fmt.Sprintf("%s (%v)", f.Public, err)
	}
	return err.Error()
}

var sweepOnce sync.Once

// sweep removes folders of test processes that were killed. A folder whose lock is held, or that is young and may not
// be locked yet, is left alone.
func sweep() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), folderPrefix+"*")) // fails only for a malformed pattern
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil || time.Since(info.ModTime()) < 10*time.Minute {
			continue
		}
		if _, running := services.Running(dir); !running {
			_ = os.RemoveAll(dir)
		}
	}
}
