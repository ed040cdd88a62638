package nemesis_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"vesper/internal/services"
)

// redisFaults strike the doorbell.
func (p *practice) redisFaults() []fault {
	tell := func(f func(context.Context, *redis.Client) error) error {
		options, err := redis.ParseURL(p.store.RedisURL())
		if err != nil {
			return err
		}
		c := redis.NewClient(options)
		defer c.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return f(ctx, c)
	}
	affects := []string{"stage"}
	return []fault{
		{kind: "Redis flushed", part: "redis", affects: affects, do: func(context.Context, *rand.Rand) (string, error) {
			return "", tell(func(ctx context.Context, c *redis.Client) error { return c.FlushAll(ctx).Err() })
		}},
		{kind: "Redis lease keys deleted", part: "redis", affects: affects, do: func(context.Context, *rand.Rand) (string, error) {
			return "", tell(func(ctx context.Context, c *redis.Client) error {
				return c.Del(ctx, "asynq:{stat}:lease", "asynq:{routine}:lease").Err()
			})
		}},
		{kind: "Redis out of memory", part: "redis", affects: affects, do: func(ctx context.Context, r *rand.Rand) (string, error) {
			limit := func(bytes string) error {
				return tell(func(ctx context.Context, c *redis.Client) error { return c.ConfigSet(ctx, "maxmemory", bytes).Err() })
			}
			if err := limit("1"); err != nil {
				return "", err
			}
			wait(ctx, between(r, 2*time.Second, 5*time.Second))
			return "", limit("0")
		}},
		{kind: "Redis restarted empty", part: "redis", affects: affects, do: func(ctx context.Context, r *rand.Rand) (string, error) {
			return "", p.withStopped(services.Redis, func() error {
				wait(ctx, between(r, 0*time.Second, 3*time.Second))
				left, err := filepath.Glob(filepath.Join(p.store.Dir(), "redis", "*"))
				for _, path := range left {
					if err == nil {
						err = os.RemoveAll(path)
					}
				}
				return err
			})
		}},
		{kind: "Redis killed", part: "redis", affects: affects, do: func(context.Context, *rand.Rand) (string, error) {
			p.store.Process(services.Redis).Kill()
			return "", nil
		}},
	}
}

// withStopped kills a service of the stores, does something, and starts it again.
func (p *practice) withStopped(name string, do func() error) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s := p.store.Process(name)
	if err := s.StopWith(ctx, syscall.SIGKILL); err != nil {
		return err
	}
	err := do()
	if serr := s.Start(ctx); err == nil {
		err = serr
	}
	return err
}
