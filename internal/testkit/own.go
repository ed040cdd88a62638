package testkit

import (
	"context"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"vesper/internal/services"
)

// Services are private to one test, which may break them. Each method fails the test when it cannot do its work.
type Services struct {
	t     testing.TB
	stack *services.Stack
}

// Own starts a private set of services for this test; without names all three. It takes two to three seconds.
func Own(t testing.TB, only ...string) *Services {
	t.Helper()
	stack, err := up(only...)
	if err != nil {
		t.Fatalf("testkit: start services: %s", explain(err))
	}
	t.Cleanup(func() {
		if err := down(stack); err != nil {
			t.Errorf("testkit: stop services: %v", err)
		}
	})
	return &Services{t: t, stack: stack}
}

// Stack is the supervisor itself.
func (s *Services) Stack() *services.Stack { return s.stack }

// PostgresURL is the empty database "vesper", as superuser.
func (s *Services) PostgresURL() string { return s.stack.PostgresURL("") }

// RedisURL is database 0.
func (s *Services) RedisURL() string { return s.stack.RedisURL() }

// S3 is the store with a bucket name that is not made yet, a new one with each call.
func (s *Services) S3() Bucket { return newBucket(s.stack.S3()) }

// StopRedis ends Redis until StartRedis. What it held stays in its file.
func (s *Services) StopRedis() { s.stop(services.Redis, 0) }

// StartRedis brings Redis back on its port.
func (s *Services) StartRedis() { s.start(services.Redis) }

// FlushRedis removes everything from Redis, as a wiped or replaced server would have it.
func (s *Services) FlushRedis() {
	s.t.Helper()
	if err := flush(s.RedisURL(), func(c *redis.Client) *redis.StatusCmd { return c.FlushAll(context.Background()) }); err != nil {
		s.t.Fatalf("testkit: flush Redis: %v", err)
	}
}

// StopPostgres ends PostgreSQL until StartPostgres: in order, or immediately, which the next start must recover from.
func (s *Services) StopPostgres(immediate bool) {
	if immediate {
		s.stop(services.Postgres, syscall.SIGQUIT)
		return
	}
	s.stop(services.Postgres, 0)
}

// StartPostgres brings PostgreSQL back on its port.
func (s *Services) StartPostgres() { s.start(services.Postgres) }

// StopS3 ends the object store until StartS3.
func (s *Services) StopS3() { s.stop(services.S3Store, 0) }

// StartS3 brings the object store back on its port.
func (s *Services) StartS3() { s.start(services.S3Store) }

// Kill sends SIGKILL to a service (services.Postgres, …); its supervisor brings it back after a moment.
func (s *Services) Kill(name string) { s.stack.Process(name).Kill() }

func (s *Services) stop(name string, sig syscall.Signal) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	p := s.stack.Process(name)
	stop := p.Stop
	if sig != 0 {
		stop = func(ctx context.Context) error { return p.StopWith(ctx, sig) }
	}
	if err := stop(ctx); err != nil {
		s.t.Fatalf("testkit: stop %s: %v", name, err)
	}
}

func (s *Services) start(name string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.stack.Process(name).Start(ctx); err != nil {
		s.t.Fatalf("testkit: start %s: %s", name, explain(err))
	}
}
