package services_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"vesper/internal/fault"
	"vesper/internal/services"
	"vesper/internal/testkit"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(superviseEnv); dir != "" {
		superviseUntilKilled(dir)
	}
	goleak.VerifyTestMain(m)
}

// folder returns a data folder through which PostgreSQL's account may pass, whatever the test's own folder allows.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "vesper-services-*") //nolint:usetesting // parents of t.TempDir may be closed to PostgreSQL's account
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "data")
}

func up(t *testing.T, cfg services.Config) (*services.Stack, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cfg.AnyPort, cfg.Volatile = true, true
	s, err := services.Up(ctx, cfg)
	if err == nil {
		t.Cleanup(func() { stop(t, s) })
	}
	return s, err
}

func start(t *testing.T, cfg services.Config) *services.Stack {
	t.Helper()
	s, err := up(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func stop(t *testing.T, s *services.Stack) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// psql asks PostgreSQL with its own client, because only storage/postgres may hold a driver.
func psql(t *testing.T, url, sql string) (string, error) {
	t.Helper()
	p, err := services.FindPostgres(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(p.Path), "psql"), "-XAtq", "-c", sql, url).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func mustPsql(t *testing.T, url, sql string) string {
	t.Helper()
	out, err := psql(t, url, sql)
	if err != nil {
		t.Fatalf("%s: %v: %s", sql, err, out)
	}
	return out
}

func code(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Code
	}
	return fmt.Sprint(err)
}

// journal is a log that a test can read.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

func TestAllServicesStartAnswerAndStopInReverseOrder(t *testing.T) {
	t.Parallel()
	var said journal
	s := start(t, services.Config{Dir: folder(t), Logins: []string{"kit_app"}, Log: said.logger()})
	for _, st := range s.Status() {
		if !st.Up || st.PID == 0 || st.Port == 0 {
			t.Errorf("%+v is not up", st)
		}
	}
	if who := mustPsql(t, s.PostgresURL("kit_app"), "SELECT current_user || ' ' || current_database()"); who != "kit_app vesper" {
		t.Errorf("logged in as %s", who)
	}
	if on := mustPsql(t, s.PostgresURL(""), "SHOW data_checksums"); on != "on" {
		t.Errorf("data checksums are %s", on)
	}
	wrong := strings.Replace(s.PostgresURL("kit_app"), "kit_app:", "kit_app:x", 1)
	if _, err := psql(t, wrong, "SELECT 1"); err == nil {
		t.Error("a wrong password opens the database")
	}
	stop(t, s)
	stop(t, s) // safe twice
	text := said.String()
	s3, redis, pg := strings.Index(text, "The S3 store stopped"), strings.Index(text, "Redis stopped"), strings.LastIndex(text, "PostgreSQL")
	if !(0 < s3 && s3 < redis && redis < pg) {
		t.Errorf("stopped in another order:\n%s", text)
	}
	if strings.Contains(text, s.PostgresURL("")) {
		t.Error("the log holds a password")
	}
}

func TestRedisKeepsEverythingAndAsksForAPassword(t *testing.T) {
	t.Parallel()
	s := start(t, services.Config{Dir: folder(t), Only: []string{services.Redis}})
	conn, err := net.Dial("tcp", strings.Split(strings.Split(s.RedisURL(), "@")[1], "/")[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ask := func(line string) string {
		fmt.Fprint(conn, line+"\r\n")
		answer := make([]byte, 512)
		n, err := conn.Read(answer)
		if err != nil {
			t.Fatal(err)
		}
		return string(answer[:n])
	}
	if got := ask("PING"); !strings.HasPrefix(got, "-NOAUTH") {
		t.Errorf("without a password Redis says %q", got)
	}
	password, err := s.Secrets().RedisPassword()
	if err != nil {
		t.Fatal(err)
	}
	ask("AUTH " + password.Reveal())
	for setting, want := range map[string]string{"appendonly": "yes", "maxmemory-policy": "noeviction", "protected-mode": "yes", "bind": "127.0.0.1"} {
		if got := ask("CONFIG GET " + setting); !strings.Contains(got, "\r\n"+want+"\r\n") {
			t.Errorf("%s is %q, want %s", setting, got, want)
		}
	}
}

func TestASecondUpOnTheSameFolderIsRefusedAndSaysWhoRuns(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, services.Config{Dir: dir, Only: []string{services.Redis}})
	_, err := up(t, services.Config{Dir: dir, Only: []string{services.Redis}})
	if !errors.Is(err, services.ErrAlreadyRunning) {
		t.Fatalf("got %v", err)
	}
	if text := fault.As(err).Public; !strings.Contains(text, fmt.Sprint(os.Getpid())) {
		t.Errorf("the fault does not name the process: %s", text)
	}
	if pid, running := services.Running(dir); !running || pid != os.Getpid() {
		t.Errorf("running: %d %v", pid, running)
	}
	stop(t, s)
	if _, running := services.Running(dir); running {
		t.Error("the folder is still taken after Stop")
	}
	start(t, services.Config{Dir: dir, Only: []string{services.Redis}})
}

func TestAChildThatDiesIsStartedAgainWithItsDataAndPort(t *testing.T) {
	t.Parallel()
	var said journal
	s := start(t, services.Config{Dir: folder(t), Log: said.logger()})
	mustPsql(t, s.PostgresURL(""), "CREATE TABLE kept AS SELECT 42 AS n")
	before := s.Status()
	for _, st := range before {
		s.Process(st.Name).Kill()
	}
	for i, old := range before {
		testkit.Until(t, 30*time.Second, old.Name+" is back", func() bool {
			now := s.Status()[i]
			return now.Up && now.PID != old.PID && now.Port == old.Port && now.Restarts == 1
		})
	}
	if n := mustPsql(t, s.PostgresURL(""), "SELECT n FROM kept"); n != "42" {
		t.Errorf("the table holds %s", n)
	}
	if !strings.Contains(said.String(), "died; it is started again") {
		t.Error("the log says nothing of the death")
	}
}

func TestATakenPortIsReplacedByTheNextFreeOneAndTheLogSaysSo(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	var said journal
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	dir := folder(t)
	cfg := services.Config{Dir: dir, Only: []string{services.Redis}, RedisPort: port, Log: said.logger()}
	s, err := services.Up(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s) })
	got := s.Status()[0].Port
	if got <= port || got > port+500 {
		t.Errorf("wanted a port after %d, got %d", port, got)
	}
	if !strings.Contains(said.String(), "a port is taken") {
		t.Errorf("the log does not say so:\n%s", said.String())
	}
	stop(t, s)
	cfg.RedisPort = 0
	again, err := services.Up(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, again) })
	if now := again.Status()[0].Port; now != got {
		t.Errorf("the port of the last run was %d, now it is %d", got, now)
	}
}

func TestAFolderThatCannotBeMadeIsAClearFault(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := up(t, services.Config{Dir: filepath.Join(file, "data")}); code(err) != "data_folder_unwritable" {
		t.Fatalf("got %v", err)
	}
}

func TestPostgresRunsBelowAFolderThatOnlyItsOwnerMayEnter(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	cfg := services.Config{Dir: dir, Only: []string{services.Postgres}}
	s := start(t, cfg)
	mustPsql(t, s.PostgresURL(""), "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
	stop(t, s)
	s = start(t, cfg)
	if n := mustPsql(t, s.PostgresURL(""), "CHECKPOINT; SELECT count(*) FROM kept"); n != "1000" {
		t.Fatalf("the table holds %s rows", n)
	}
}

func TestACancelledStartLeavesNothingRunning(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := services.Up(ctx, services.Config{Dir: dir, AnyPort: true}); err == nil {
		t.Fatal("a cancelled start succeeded")
	}
	if _, running := services.Running(dir); running {
		t.Fatal("the folder is still taken")
	}
	if records, _ := filepath.Glob(filepath.Join(dir, "run", "*.json")); len(records) > 0 {
		t.Fatalf("processes are left: %v", records)
	}
}

func TestAnotherProcessCanAttachToARunningStackAndCannotStopIt(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	if _, err := services.Attach(dir); code(err) != "not_running" {
		t.Fatalf("got %v", err)
	}
	if !services.Started(dir).IsZero() {
		t.Error("what never ran was started")
	}
	s := start(t, services.Config{Dir: dir, Only: []string{services.Postgres, services.Redis}})
	if age := time.Since(services.Started(dir)); age < 0 || age > time.Minute {
		t.Errorf("started %s ago", age)
	}
	other, err := services.Attach(dir)
	if err != nil {
		t.Fatal(err)
	}
	if other.PostgresURL("") != s.PostgresURL("") || other.RedisURL() != s.RedisURL() || other.Status() != nil {
		t.Errorf("attached to another stack: %v", other.Status())
	}
	stop(t, other)
	mustPsql(t, other.PostgresURL(""), "SELECT 1")
}
