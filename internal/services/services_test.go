package services_test

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"vesper/internal/services"
)

func start(t *testing.T, cfg services.Config) *services.Stack {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	s, err := services.Up(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSmoke(t *testing.T) {
	t0 := time.Now()
	s := start(t, services.Config{Dir: t.TempDir(), AnyPort: true, Volatile: true, Logins: []string{"vesper_app"}})
	t.Log(time.Since(t0), s.Status(), s.PostgresURL("vesper_app"), s.RedisURL(), s.S3())
	t1 := time.Now()
	s.Stop(context.Background())
	t.Log(time.Since(t1))
}
