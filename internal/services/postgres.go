package services

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"vesper/internal/fault"
)

const superuser = "postgres"

// cluster is the PostgreSQL of one data folder.
type cluster struct {
	stack   *Stack
	program Program
	dir     string
	user    *User
}

func postgresSpec(ctx context.Context, s *Stack) (Spec, error) {
	c := &cluster{stack: s, dir: filepath.Join(s.cfg.Dir, Postgres)}
	major, err := dataVersion(c.dir)
	if err != nil {
		return Spec{}, err
	}
	if c.program, err = FindPostgres(ctx, major); err != nil {
		return Spec{}, err
	}
	if c.user, err = unprivileged(c.dir); err != nil {
		return Spec{}, err
	}
	return Spec{
		Title: fmt.Sprintf("PostgreSQL %d", c.program.Major), StopSignal: postgresStop, StopWithin: postgresWithin,
		Command: c.command, Ready: c.ready, Diagnose: c.diagnose,
	}, nil
}

// command prepares the data folder as far as that is needed and returns how to run the server on it.
func (c *cluster) command(ctx context.Context, first bool) (Command, error) {
	if err := c.initialise(ctx); err != nil {
		return Command{}, err
	}
	if err := c.clearStalePID(ctx); err != nil {
		return Command{}, err
	}
	port, err := c.stack.portOf(Postgres, c.stack.cfg.PostgresPort, first)
	if err != nil {
		return Command{}, err
	}
	dir, files, err := c.reach(c.dir, nil)
	if err != nil {
		return Command{}, err
	}
	args := []string{"-D", dir, "-p", strconv.Itoa(port)}
	for _, setting := range c.settings() {
		args = append(args, "-c", setting)
	}
	return Command{Path: c.program.Path, Args: args, Env: baseEnv(), Files: files, User: c.user}, nil
}

// settings keep the server on this machine and patient text out of its log: no statements, no parameters, no details
// (a violated constraint's detail quotes the row).
func (c *cluster) settings() []string {
	s := []string{
		"listen_addresses=127.0.0.1",
		"unix_socket_directories=.", // in the data folder itself: private, and never too long for a socket address
		"password_encryption=scram-sha-256",
		"timezone=UTC", "log_timezone=UTC", "lc_messages=C",
		"logging_collector=off", "log_destination=stderr",
		"log_error_verbosity=terse", "log_statement=none", "log_min_error_statement=panic",
		"log_min_duration_statement=-1", "log_parameter_max_length=0", "log_parameter_max_length_on_error=0",
		"log_checkpoints=off", "log_lock_waits=off", "log_temp_files=-1", "log_autovacuum_min_duration=-1",
	}
	if c.stack.cfg.Volatile {
		// Commits stay synchronous: what is committed must survive kill -9 in tests as well.
		s = append(s, "fsync=off", "full_page_writes=off", "shared_buffers=64MB", "max_connections=200",
			"wal_level=minimal", "max_wal_senders=0")
	}
	return s
}

// ready wants both: that the server's own status file names this very process as ready, and that it answers a client.
func (c *cluster) ready(ctx context.Context, pid int) error {
	text, err := os.ReadFile(filepath.Join(c.dir, "postmaster.pid"))
	if err != nil {
		return err
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 8 || strings.TrimSpace(lines[0]) != strconv.Itoa(pid) || strings.TrimSpace(lines[7]) != "ready" {
		return fmt.Errorf("postmaster.pid does not say ready yet")
	}
	return greetPostgres(ctx, address(c.stack.ports.get(Postgres)))
}

// greetPostgres sends a startup message (protocol 3.0). A server that takes connections asks for a password; one that
// still starts or recovers answers with an error.
func greetPostgres(ctx context.Context, addr string) error {
	conn, err := dial(ctx, addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	return greet(conn)
}

func greet(conn net.Conn) error {
	body := append(binary.BigEndian.AppendUint32(nil, 3<<16), "user\x00"+superuser+"\x00database\x00"+superuser+"\x00\x00"...)
	message := append(binary.BigEndian.AppendUint32(nil, uint32(4+len(body))), body...)
	if _, err := conn.Write(message); err != nil {
		return err
	}
	var kind [1]byte
	if _, err := io.ReadFull(conn, kind[:]); err != nil {
		return err
	}
	if kind[0] != 'R' {
		return fmt.Errorf("postgres does not take connections yet (%q)", kind[0])
	}
	return nil
}

func (c *cluster) diagnose(log string) error {
	if strings.Contains(log, "Permission denied") || strings.Contains(log, "has wrong ownership") ||
		strings.Contains(log, "has invalid permissions") {
		return fault.New(fault.Unavailable, "data_folder_unwritable", fmt.Sprintf(
			"PostgreSQL may not use its data folder %s. Give it back to the account that made it.", c.dir))
	}
	return nil
}

// clearStalePID removes a postmaster.pid that names a process which is not this folder's server: after a crash its
// number may belong to anybody, and PostgreSQL would refuse to start. A server that somebody else runs here is left alone.
func (c *cluster) clearStalePID(ctx context.Context) error {
	path := filepath.Join(c.dir, "postmaster.pid")
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	} else if err != nil {
		return folderFault(err, "read postmaster.pid")
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err == nil && processStart(pid) != "" && serves(pid, c.dir) {
		return fault.New(fault.Conflict, "postgres_in_use", fmt.Sprintf(
			"A PostgreSQL that Vesper did not start (process %d) uses the data folder. Stop it and start again.", pid))
	}
	if err == nil && processStart(pid) != "" {
		c.stack.cfg.Log.LogAttrs(ctx, slog.LevelInfo, "removing the process file of a crashed PostgreSQL", slog.Int("pid", pid))
		return os.Remove(path)
	}
	return nil // PostgreSQL removes the file of a dead process itself
}

// PostgresURL is where PostgreSQL answers for a role; "" means the superuser.
func (s *Stack) PostgresURL(role string) string {
	if role == "" {
		role = superuser
	}
	password, err := s.secrets.PostgresPassword(role)
	if err != nil {
		return ""
	}
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(role, password.Reveal()), Host: address(s.ports.get(Postgres)),
		Path: "/" + s.cfg.Database, RawQuery: "sslmode=disable", // never leaves this machine
	}
	return u.String()
}
