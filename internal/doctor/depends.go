package doctor

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// The oldest versions that Vesper works with.
const (
	leastPostgres = 15
	leastRedis    = 7
)

// Model checks the speech model. verify returns its name once every byte was found right.
func Model(verify func(ctx context.Context) (name string, err error)) Check {
	return Check{Name: "model", Run: func(ctx context.Context) Finding {
		name, err := verify(ctx)
		if err != nil {
			return badErr(err, "no speech model can be used", "Fetch one: \"vesper models fetch\".")
		}
		return good("%s, verified", name)
	}}
}

// Postgres checks the database. version returns the server's version as it says it itself ("15.18").
func Postgres(version func(ctx context.Context) (string, error)) Check {
	return Check{Name: "PostgreSQL", Run: func(ctx context.Context) Finding {
		v, err := version(ctx)
		switch {
		case err != nil:
			return badErr(err, "it cannot be reached", "Start PostgreSQL and check the address and password of the database.")
		case major(v) < leastPostgres:
			return bad(fmt.Sprintf("Move the database to PostgreSQL %d or newer.", leastPostgres), "version %s is too old", v)
		}
		return good("version %s", v)
	}}
}

// RedisFacts are the settings that keep the queue.
type RedisFacts struct {
	Version    string // "7.0.15"
	Policy     string // maxmemory-policy; empty: not told
	AppendOnly string // "yes" or "no"; empty: not told
}

// Redis checks the queue: with eviction it would lose work at random, without its file at each restart. Vesper finds
// lost work again within a minute, so the second is advice.
func Redis(facts func(ctx context.Context) (RedisFacts, error)) Check {
	return Check{Name: "Redis", Run: func(ctx context.Context) Finding {
		f, err := facts(ctx)
		switch {
		case err != nil:
			return badErr(err, "it cannot be reached", "Start Redis and check its address and password. Until then nothing new is transcribed; nothing is lost.")
		case major(f.Version) < leastRedis:
			return bad(fmt.Sprintf("Move the queue to Redis %d or newer.", leastRedis), "version %s is too old", f.Version)
		case f.Policy != "" && f.Policy != "noeviction":
			return bad("Set \"maxmemory-policy noeviction\" in redis.conf.", "version %s may evict work (maxmemory-policy %s)", f.Version, f.Policy)
		case f.AppendOnly == "no":
			return Finding{OK: true, What: "version " + f.Version + ", forgets its queue at a restart", Mend: "Set \"appendonly yes\" in redis.conf."}
		case f.Policy == "" || f.AppendOnly == "":
			return Finding{
				OK: true, What: "version " + f.Version + "; it does not tell its settings",
				Mend: "Make sure of \"maxmemory-policy noeviction\" and \"appendonly yes\" in the console of your provider.",
			}
		}
		return good("version %s, noeviction, append-only file", f.Version)
	}}
}

// StoreFacts are what protects recordings in the object store.
type StoreFacts struct {
	Bucket     string
	Versioning bool // a replaced or deleted object is kept as an earlier version
	Lock       bool // retention can be enforced by the store itself
}

// Store checks the object store of the recordings.
func Store(facts func(ctx context.Context) (StoreFacts, error)) Check {
	return Check{Name: "object store", Run: func(ctx context.Context) Finding {
		f, err := facts(ctx)
		switch {
		case err != nil:
			return badErr(err, "it cannot be reached", "Start the S3 store and check its address, bucket and keys. Until then no recording can be received.")
		case !f.Versioning:
			return bad("Turn on versioning for the bucket.", "bucket %s keeps no earlier versions", f.Bucket)
		case !f.Lock:
			return Finding{
				OK: true, What: "bucket " + f.Bucket + ", versioning, no retention lock",
				Mend: "A bucket made with object lock lets the store itself refuse early deletion.",
			}
		}
		return good("bucket %s, versioning, retention lock", f.Bucket)
	}}
}

// EHR checks the target of signed notes. ping returns how it calls itself.
func EHR(ping func(ctx context.Context) (name string, err error)) Check {
	return Check{Name: "EHR", Run: func(ctx context.Context) Finding {
		name, err := ping(ctx)
		if err != nil {
			return badErr(err, "it cannot be reached", "Check the EHR's address and credentials. Signed notes wait and are delivered when it is back.")
		}
		return good("%s", name)
	}}
}

// major is the whole number at the beginning of a version, 0 when there is none.
func major(version string) int {
	digits := version[:len(version)-len(strings.TrimLeft(version, "0123456789"))]
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}
