package web_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"vesper/internal/services"
	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/storage/objects"
	"vesper/storage/postgres"
	"vesper/web"
)

// ownWorld is a world with services of its own, which the test may stop.
func ownWorld(t *testing.T) (*world, *testkit.Services) {
	t.Helper()
	s := testkit.Own(t, services.Postgres, services.S3Store)
	w := &world{TB: t, people: map[string]pipeline.Person{}, spool: filepath.Join(t.TempDir(), "uploads"), logs: &logBuffer{}}
	log := slog.New(slog.NewTextHandler(w.logs, nil))
	ctx := context.Background()
	w.must(prepare(ctx, s.PostgresURL()))
	logins, err := postgres.LoginURLs(s.PostgresURL(), databaseName(s.PostgresURL()), servePassword, workPassword)
	w.must(err)
	w.store, err = postgres.Open(ctx, logins.Serve, log)
	w.must(err)
	t.Cleanup(w.store.Close)
	b := s.S3()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	store, err := objects.Open(ctx, objects.Config{
		Endpoint: b.Host(), Region: b.Region, AccessKey: b.AccessKey, SecretKey: b.SecretKey, Bucket: b.Name,
		MasterKey: make([]byte, objects.KeySize), SpoolDir: t.TempDir(), Transport: transport,
	})
	w.must(err)
	w.svc, err = pipeline.NewService(pipeline.Config{
		Store: w.store, Objects: vault{store}, Prober: prober{}, Target: "sandbox", SpoolDir: t.TempDir(), Log: log,
		Settings: func() (json.RawMessage, error) { return json.RawMessage(`{}`), nil },
	})
	w.must(err)
	w.service = w.svc
	w.settle()
	w.config = web.Config{Sessions: w.store.Sessions(web.SessionPersonKey), Log: log, SpoolDir: w.spool, Ready: w.store.Ping}
	w.start()
	return w, s
}

func TestOutagesAreToldPlainlyAndNothingIsLost(t *testing.T) {
	t.Parallel()
	w, s := ownWorld(t)
	c := w.as("physician")
	file := tone()
	path := c.begin(len(file), nil).want(201).header.Get("Location")
	last := len(file) - 1

	s.StopS3()
	c.submit(tone(), "a.wav", nil, nil).problem(503, "object_store_unavailable")
	c.patch(path, 0, file).problem(503, "object_store_unavailable")
	c.head(path).want(200).at(last)

	s.StopPostgres(true)
	for _, a := range []answer{c.get("/api/v1/dictations"), c.submit(file, "a.wav", nil, nil), c.patch(path, last, file[last:])} {
		if a.want(503); a.header.Get("Retry-After") == "" || a.field("detail") == "" {
			t.Errorf("%s", a.body)
		}
	}
	c.get("/readyz").problem(503, "not_ready")
	c.get("/healthz").want(200)

	s.StartS3()
	s.StartPostgres()
	testkit.Until(t, 20*time.Second, "the server recovers by itself", func() bool { return c.get("/readyz").status == 200 })
	var done answer
	testkit.Until(t, 20*time.Second, "the upload ends where it stood, in the same session", func() bool {
		done = c.patch(path, last, file[last:])
		return done.status == http.StatusNoContent
	})
	c.get("/api/v1/dictations/" + done.header.Get("Vesper-Dictation")).want(200)
	if n := len(c.list(t)); n != 1 {
		t.Errorf("%d dictations", n)
	}
}
