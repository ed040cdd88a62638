package services

import (
	"context"
	"os"
	"slices"
	"syscall"
	"time"
)

// buildTable describes the services that were asked for, in start order. None of the three needs another one; the
// processes that the caller adds need all of them.
func (s *Stack) buildTable(ctx context.Context) ([]Spec, error) {
	builders := []struct {
		name  string
		build func(context.Context, *Stack) (Spec, error)
	}{{Postgres, postgresSpec}, {Redis, redisSpec}, {S3Store, s3Spec}}
	var table []Spec
	for _, b := range builders {
		if !slices.Contains(s.cfg.Only, b.name) {
			continue
		}
		spec, err := b.build(ctx, s)
		if err != nil {
			return nil, err
		}
		spec.Name, spec.StartWithin = b.name, s.cfg.StartWithin
		table = append(table, spec)
	}
	return table, nil
}

// How each service is asked to end, and how long it may take. PostgreSQL's fast shutdown (SIGINT) rolls back what is
// under way and writes a checkpoint; its smart one would wait for clients for ever.
const (
	postgresStop, postgresWithin = syscall.SIGINT, 30 * time.Second
	redisStop, redisWithin       = syscall.SIGTERM, 10 * time.Second
	s3Stop, s3Within             = syscall.SIGTERM, 10 * time.Second
)

// baseEnv keeps the supervisor's environment, which may hold secrets and settings, away from the children.
func baseEnv() []string {
	env := []string{"LC_ALL=C", "TZ=UTC"}
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// portOf gives a service its port: chosen when it starts first, unchanged when it comes back, because clients know it.
func (s *Stack) portOf(name string, wish int, first bool) (int, error) {
	if port := s.ports.get(name); port != 0 && !first {
		return port, nil
	}
	return s.ports.choose(name, wish)
}
