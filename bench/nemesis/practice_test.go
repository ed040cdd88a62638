package nemesis_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vesper/bench/nemesis"
	"vesper/internal/services"
	"vesper/internal/testkit"
	"vesper/storage/postgres"
)

const (
	practiceName = "Nemesis Family Medicine (fictional)"
	database     = "vesper_nemesis"
	bucket       = "vesper"
	servePass    = "serve-nemesis"
	workPass     = "work-nemesis"
)

// practice is everything that works and everything that it works on.
type practice struct {
	t       *testing.T
	dir     string
	program string
	history *nemesis.History
	log     *safeFile

	base, store *services.Stack // PostgreSQL on a disk of its own; Redis and the S3 store
	diskDir     string
	noDisk      error // why PostgreSQL's disk cannot be filled; nil: it can
	links       *links
	bad         *badStore
	storeFront  string // where bad listens
	s3Dir       string // the store's objects, as files

	serves, workers []*process
	relay, ehr      *process
	fronts          []string // where clients find the web servers
	ehrDir          string
	ehrPort         int
	ehrControl      string
	admin, work     string            // database URLs past the links
	people          map[string]string // logins: passwords
	env             []string          // of serve and work
	keyDir          string
	starts          chan func()
}

// safeFile is a file that several goroutines write lines to.
type safeFile struct {
	mu sync.Mutex
	*os.File
}

func (f *safeFile) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.File.Write(p)
}

// newPractice starts everything; it ends with the test.
func newPractice(t *testing.T, program string, env ...string) *practice {
	t.Helper()
	p := &practice{t: t, program: program, env: env, starts: make(chan func())}
	p.folder()
	go func() {
		runtime.LockOSThread()
		for f := range p.starts {
			f()
		}
	}()
	t.Cleanup(func() { close(p.starts) })
	p.services()
	p.provision()
	p.links = newLinks(t)
	p.bad, p.storeFront = spoilt(t, p.store.S3().Endpoint)
	p.startEHR()
	p.startRoles()
	p.hire()
	return p
}

func (p *practice) folder() {
	p.t.Helper()
	dir := *keep
	var err error
	if dir == "" {
		dir, err = os.MkdirTemp("", "vesper-nemesis-")
	}
	if err == nil {
		err = os.MkdirAll(dir, 0o711)
	}
	if err == nil {
		err = os.Chmod(dir, 0o711) // PostgreSQL's account must pass through
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.dir = dir
	p.t.Cleanup(func() {
		if *keep == "" && !p.t.Failed() {
			os.RemoveAll(dir)
		}
	})
	history, err := os.Create(filepath.Join(dir, "history.jsonl"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.history = nemesis.NewHistory(history)
	log, err := os.Create(filepath.Join(dir, "processes.log"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.log = &safeFile{File: log}
	p.t.Cleanup(func() { log.Close(); history.Close() })
}

// services starts PostgreSQL on a small disk of its own, where this account may mount one, and the others beside it.
func (p *practice) services() {
	p.t.Helper()
	p.diskDir = filepath.Join(p.dir, "postgres-disk")
	if err := os.MkdirAll(p.diskDir, 0o711); err != nil {
		p.t.Fatal(err)
	}
	if p.noDisk = mountSmallDisk(p.diskDir); p.noDisk == nil {
		p.t.Cleanup(func() {
			if err := unmount(p.diskDir); err != nil {
				p.t.Errorf("unmount PostgreSQL's disk: %v", err)
			}
		})
	}
	p.base = p.up(services.Config{Dir: p.diskDir, Only: []string{services.Postgres}})
	p.store = p.up(services.Config{Dir: filepath.Join(p.dir, "stores"), Only: []string{services.Redis, services.S3Store}})
	p.s3Dir = filepath.Join(p.dir, "stores", "s3", "objects", bucket)
}

func (p *practice) up(c services.Config) *services.Stack {
	p.t.Helper()
	c.AnyPort, c.Volatile = true, true
	ctx, cancel := context.WithTimeout(p.t.Context(), 3*time.Minute)
	defer cancel()
	stack, err := services.Up(ctx, c)
	if err != nil {
		p.t.Fatalf("start %v: %v", c.Only, err)
	}
	p.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := stack.Stop(ctx); err != nil {
			p.t.Errorf("stop %v: %v", c.Only, err)
		}
	})
	return stack
}

// provision makes database, keys and practice with the commands that an operator uses.
func (p *practice) provision() {
	p.t.Helper()
	logins, err := postgres.LoginURLs(p.base.PostgresURL(""), database, servePass, workPass)
	if err != nil {
		p.t.Fatal(err)
	}
	p.admin, p.work = logins.Owner, logins.Work
	p.keyDir = filepath.Join(p.dir, "keys")
	p.people = map[string]string{"boss": password()}
	p.command("", "keys", p.keyDir)
	p.command("", "migrate", "--admin-url", p.base.PostgresURL(""), "--database", database, "--serve-password", servePass, "--worker-password", workPass)
	p.command(p.people["boss"]+"\n", "practice", "--database-url", logins.Serve, "--login", "boss", "--admin", "Alex Fiction", practiceName)
	var csv strings.Builder
	csv.WriteString("mrn,name,birth_date,sex,ehr_ref\n")
	for i := range 20 {
		fmt.Fprintf(&csv, "M-%d,Example Madeup%d,1961-05-04,female,Patient/n-%d\n", i, i, i)
	}
	file := filepath.Join(p.dir, "patients.csv")
	if err := os.WriteFile(file, []byte(csv.String()), 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.command("", "patients", "--database-url", logins.Serve, "--practice", practiceName, file)
}

func password() string { return strings.ToLower(rand.Text()[:20]) }

func (p *practice) command(in string, args ...string) {
	p.t.Helper()
	cmd := exec.Command(p.program, args...)
	cmd.Stdin = strings.NewReader(in)
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("vesper %s: %v\n%s", args[0], err, out)
	}
}

// config writes the settings of one role, with links of its own to all that it uses.
func (p *practice) config(role, login, pass string, more map[string]string) string {
	p.t.Helper()
	pg, redis := hostOf(p.base.PostgresURL("")), hostOf(p.store.RedisURL())
	s3 := p.store.S3()
	set := map[string]string{
		"database-url":     fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", login, pass, p.links.to(p.t, role+"→PostgreSQL", pg), database),
		"redis-url":        strings.Replace(p.store.RedisURL(), redis, p.links.to(p.t, role+"→Redis", redis), 1),
		"s3-endpoint":      "http://" + p.links.to(p.t, role+"→S3", p.storeFront),
		"s3-access-key":    s3.AccessKey,
		"s3-secret-key":    s3.SecretKey.Reveal(),
		"s3-bucket":        bucket,
		"master-key-file":  filepath.Join(p.keyDir, "master_key"),
		"audit-public-key": filepath.Join(p.keyDir, "audit_public_key"),
		"audit-key-file":   filepath.Join(p.keyDir, "audit_signing_key"),
		"ehr-url":          "http://" + p.links.to(p.t, role+"→EHR", fmt.Sprintf("127.0.0.1:%d", p.ehrPort)) + "/fhir",
		"ehr-token":        "nemesis",
		"scratch-dir":      filepath.Join(p.dir, "scratch-"+role),
		"model":            "base-q8_0",
		"children":         "1",
	}
	maps.Copy(set, more)
	var out strings.Builder
	for _, k := range slices.Sorted(maps.Keys(set)) {
		fmt.Fprintf(&out, "%s: %q\n", k, set[k])
	}
	out.WriteString("ehr-allow-private: true\n")
	file := filepath.Join(p.dir, role+".yaml")
	if err := os.WriteFile(file, []byte(out.String()), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return file
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err) // the supervisor made it
	}
	return u.Host
}

// child starts a process that is kept running.
func (p *practice) child(name, path string, env []string, args ...string) *process {
	p.t.Helper()
	s := &process{name: name, path: path, args: args, env: env, log: p.log, history: p.history}
	s.run(p.t, p.starts)
	return s
}

func (p *practice) startEHR() {
	p.t.Helper()
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	control := freePort(p.t)
	p.ehrPort, p.ehrDir = freePort(p.t), filepath.Join(p.dir, "ehr")
	p.ehrControl = fmt.Sprintf("http://127.0.0.1:%d/", control)
	p.ehr = p.child("ehr", self, []string{ehrVariable + "=" + p.ehrDir, fmt.Sprintf("%s=%d,%d", ehrPortVariable, p.ehrPort, control)})
}

// startRoles starts two web servers, two workers that answer, and one that relays and keeps house, so that each can be
// killed by itself.
func (p *practice) startRoles() {
	p.t.Helper()
	for i := range 2 {
		name, port := fmt.Sprintf("serve-%d", i+1), freePort(p.t)
		listen := fmt.Sprintf("127.0.0.1:%d", port)
		cfg := p.config(name, postgres.LoginServe, servePass, map[string]string{"listen": listen, "ehr-name": "ehr"})
		p.serves = append(p.serves, p.child(name, p.program, p.env, "serve", "--config", cfg))
		p.fronts = append(p.fronts, "http://"+p.links.to(p.t, "clients→"+name, listen))
	}
	for i := range 2 {
		name := fmt.Sprintf("work-%d", i+1)
		cfg := p.config(name, postgres.LoginWork, workPass, nil)
		p.workers = append(p.workers, p.child(name, p.program, p.env, "work", "--only", "stages", "--config", cfg))
	}
	cfg := p.config("relay", postgres.LoginWork, workPass, nil)
	p.relay = p.child("relay", p.program, p.env, "work", "--only", "relay", "--config", cfg)
	for _, front := range p.fronts {
		testkit.Until(p.t, 3*time.Minute, "the web server at "+front+" is ready", func() bool { return answers(front + "/readyz") })
	}
}

func answers(address string) bool {
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	req.Close = true
	client := http.Client{Timeout: 2 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// hire makes the accounts, as the administrator would.
func (p *practice) hire() {
	p.t.Helper()
	boss := p.person("boss", 0)
	for role, logins := range staff {
		for i, login := range logins {
			p.people[login] = password()
			body := map[string]string{"login": login, "name": "Fictional " + login, "role": role, "password": p.people[login]}
			if role == "physician" {
				body["credential"], body["ehr_ref"] = "MD", fmt.Sprintf("Practitioner/n-%d", i)
			}
			if err := boss.front().do(p.t.Context(), http.MethodPost, "/api/v1/people", body, nil); err != nil {
				p.t.Fatalf("hire %s: %v", login, err)
			}
		}
	}
}

// staff are the people of the practice, by role.
var staff = map[string][]string{
	"physician": {"dr.one", "dr.two", "dr.three"}, "editor": {"ed.one", "ed.two"}, "supervisor": {"sam"}, "compliance": {"casey"},
}

// all are the processes of the program.
func (p *practice) all() []*process {
	return slices.Concat(p.serves, p.workers, []*process{p.relay})
}
