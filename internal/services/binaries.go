package services

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"vesper/internal/fault"
)

// The oldest versions that Vesper works with.
const (
	LeastPostgres = 15
	LeastRedis    = 7
)

const installHint = "Run \"make deps\", which installs it."

// Program is an installed program and its major version (0 when it has none that matters).
type Program struct {
	Path  string
	Major int
}

// FindPostgres returns the server program of PostgreSQL: the one with this major version, or with 0 the newest one.
// initdb and psql stand beside it.
func FindPostgres(ctx context.Context, major int) (Program, error) {
	var found []Program
	for _, dir := range postgresDirs() {
		path := filepath.Join(dir, "postgres")
		if !executable(path) || !executable(filepath.Join(dir, "initdb")) || !executable(filepath.Join(dir, "psql")) {
			continue
		}
		if v := versionOf(ctx, path, postgresVersion); v > 0 {
			found = append(found, Program{Path: path, Major: v})
		}
	}
	slices.SortStableFunc(found, func(a, b Program) int { return cmp.Compare(b.Major, a.Major) })
	for _, p := range found {
		if p.Major == major || (major == 0 && p.Major >= LeastPostgres) {
			return p, nil
		}
	}
	switch {
	case major != 0:
		return Program{}, fault.New(fault.Unavailable, "postgres_missing", fmt.Sprintf(
			"The data folder was made by PostgreSQL %d, which is not installed any more. Install it again, or move the data with pg_upgrade.", major))
	case len(found) > 0:
		return Program{}, fault.New(fault.Unavailable, "postgres_too_old", fmt.Sprintf(
			"PostgreSQL %d is installed, but Vesper needs %d or newer. %s", found[0].Major, LeastPostgres, installHint))
	default:
		return Program{}, fault.New(fault.Unavailable, "postgres_missing", "PostgreSQL is not installed. "+installHint)
	}
}

func postgresDirs() []string {
	var dirs []string
	if path, err := exec.LookPath("postgres"); err == nil {
		// A link in the PATH may point to a folder that also holds initdb and psql.
		if target, err := filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(target))
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin",
		"/usr/local/opt/postgresql*/bin", "/usr/libexec/postgresql*", "/usr/local/pgsql/bin",
	} {
		more, _ := filepath.Glob(pattern) // fails only for a malformed pattern
		dirs = append(dirs, more...)
	}
	return dirs
}

// FindRedis returns redis-server, or its drop-in successor valkey-server.
func FindRedis(ctx context.Context) (Program, error) {
	old := 0
	for _, name := range []string{"redis-server", "valkey-server", "/opt/homebrew/bin/redis-server", "/usr/local/bin/redis-server"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		v := versionOf(ctx, path, redisVersion)
		if v >= LeastRedis {
			return Program{Path: path, Major: v}, nil
		}
		old = max(old, v)
	}
	if old > 0 {
		return Program{}, fault.New(fault.Unavailable, "redis_too_old", fmt.Sprintf(
			"Redis %d is installed, but Vesper needs %d or newer. %s", old, LeastRedis, installHint))
	}
	return Program{}, fault.New(fault.Unavailable, "redis_missing", "Redis is not installed. "+installHint)
}

// FindS3 returns versitygw: from the build cache ($VESPER_CACHE/bin), beside this program, or from the PATH.
func FindS3() (Program, error) {
	var places []string
	if dir, err := CacheDir(); err == nil {
		places = append(places, filepath.Join(dir, "bin", "versitygw"))
	}
	if self, err := os.Executable(); err == nil {
		places = append(places, filepath.Join(filepath.Dir(self), "versitygw"))
	}
	for _, path := range append(places, "versitygw") {
		if found, err := exec.LookPath(path); err == nil {
			return Program{Path: found}, nil
		}
	}
	return Program{}, fault.New(fault.Unavailable, "s3_missing", "The S3 store (versitygw) is not installed. "+installHint)
}

// CacheDir is where built and fetched programs are kept: $VESPER_CACHE, else vesper below the user's cache folder.
func CacheDir() (string, error) {
	if dir := os.Getenv("VESPER_CACHE"); dir != "" {
		return dir, nil
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(dir, "vesper"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("services: cache folder: %w", err)
	}
	return filepath.Join(home, ".cache", "vesper"), nil
}

var (
	postgresVersion = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)
	redisVersion    = regexp.MustCompile(`v=(\d+)`)
)

// versionOf runs a program with --version and returns its major version, 0 when it does not say.
func versionOf(ctx context.Context, path string, pattern *regexp.Regexp) int {
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	m := pattern.FindSubmatch(out)
	if err != nil || m == nil {
		return 0
	}
	major, err := strconv.Atoi(string(m[1]))
	if err != nil {
		return 0
	}
	return major
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}
