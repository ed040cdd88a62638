package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"vesper/internal/fault"
)

// Dump writes what the snapshot sees in pg_dump's own format. bin is the folder of PostgreSQL's programs. Sessions stay
// out: a restored server must not know log-ins of another day.
func (w *Whole) Dump(ctx context.Context, bin, snapshot string, to io.Writer) error {
	return w.client(ctx, bin, nil, to, "pg_dump", "--format=custom", "--compress=3", "--snapshot="+snapshot,
		"--exclude-table-data=public.sessions", "--no-tablespaces", "--no-publications", "--no-subscriptions", "--no-security-labels")
}

// LoadDump reads a dump into the database, which must be new and empty; its roles must be there (Provision).
func (w *Whole) LoadDump(ctx context.Context, bin string, from io.Reader) error {
	return w.client(ctx, bin, from, nil, "pg_restore", "--exit-on-error", "--no-tablespaces", "--dbname="+w.conn.Config().Database)
}

// client runs one of PostgreSQL's own programs on the same database.
func (w *Whole) client(ctx context.Context, bin string, in io.Reader, out io.Writer, name string, args ...string) error {
	cfg := w.conn.Config()
	path := filepath.Join(bin, name)
	if _, err := os.Stat(path); err != nil {
		return fault.New(fault.Unavailable, "postgres_missing", "The program "+name+" is not installed beside PostgreSQL. Run \"make deps\", which installs it.")
	}
	cmd := exec.CommandContext(ctx, path, append(args, "--no-password")...)
	cmd.Env = append(sslEnv(w.url),
		"PATH="+os.Getenv("PATH"), "LC_ALL=C", "PGHOST="+cfg.Host, fmt.Sprintf("PGPORT=%d", cfg.Port), "PGUSER="+cfg.User,
		"PGPASSWORD="+cfg.Password, "PGDATABASE="+cfg.Database, "PGCONNECT_TIMEOUT=5", "PGTZ=UTC",
		"PGOPTIONS=-c statement_timeout=0 -c idle_in_transaction_session_timeout=0")
	said := &bytes.Buffer{}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, &limited{said}
	err := cmd.Run()
	if err == nil || ctx.Err() != nil {
		return errors.Join(ctx.Err())
	}
	if f := (*fault.Error)(nil); errors.As(err, &f) { // of whoever gives or takes the dump
		return err
	}
	return clientFault(name, said.String(), err)
}

// sslEnv hands on what the URL says of TLS; without a word both sides do as libpq does.
func sslEnv(raw string) (env []string) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil
	}
	for param, name := range map[string]string{"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"} {
		if v := u.Query().Get(param); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// quoted is what the server quotes in its messages: it may be a patient's.
var quoted = regexp.MustCompile(`"[^"]*"`)

// clientFault makes a fault of what the program said. Only its own first line is kept, without what it quotes: the lines
// behind it hold rows.
func clientFault(name, said string, err error) error {
	first := ""
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, name+": ") {
			first = quoted.ReplaceAllString(strings.TrimSpace(line), `"…"`)
			break
		}
	}
	cause := fmt.Errorf("%s: %w: %s", name, err, first)
	switch {
	case strings.Contains(said, "No space left on device"):
		return fault.Wrap(cause, fault.Unavailable, "disk_full", "The disk of the database is full. Free space and begin again.")
	case strings.Contains(said, "server version mismatch"), strings.Contains(said, "unsupported version"):
		return fault.Wrap(cause, fault.Unavailable, "postgres_too_old", "The installed "+name+" is older than the database. Install the client programs of that PostgreSQL.")
	case strings.Contains(said, "permission denied"):
		return fault.Wrap(cause, fault.Invalid, "backup_role", "The database login may not read everything. Use a superuser, or a role with BYPASSRLS that may read all tables.")
	case strings.Contains(said, "connection to server"), strings.Contains(said, "server closed the connection"):
		return unavailable(name, cause)
	default:
		return fault.Wrap(cause, fault.Internal, "dump_failed", "The program "+name+" failed. Look at its message with --verbose and in the database's log.")
	}
}

// limited keeps the beginning of a text.
type limited struct{ b *bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	l.b.Write(p[:min(len(p), max(0, 16<<10-l.b.Len()))])
	return len(p), nil
}
