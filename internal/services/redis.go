package services

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"time"
)

// redisSpec runs Redis as a queue that may not lose or evict anything: append-only file, no eviction, password, only
// this machine. Even so PostgreSQL stays the truth; Redis may be wiped at any moment.
func redisSpec(ctx context.Context, s *Stack) (Spec, error) {
	program, err := FindRedis(ctx)
	if err != nil {
		return Spec{}, err
	}
	conf := filepath.Join(s.cfg.Dir, "run", "redis.conf")
	return Spec{
		Title: "Redis", StopSignal: redisStop, StopWithin: redisWithin,
		Command: func(_ context.Context, first bool) (Command, error) {
			port, err := s.portOf(Redis, s.cfg.RedisPort, first)
			if err != nil {
				return Command{}, err
			}
			text, err := s.redisConf(port)
			if err != nil {
				return Command{}, err
			}
			if err := writeAtomically(conf, []byte(text), 0o600); err != nil {
				return Command{}, folderFault(err, "write redis.conf")
			}
			return Command{Path: program.Path, Args: []string{conf}, Env: baseEnv()}, nil
		},
		Ready: func(ctx context.Context, _ int) error {
			password, err := s.secrets.RedisPassword()
			if err != nil {
				return err
			}
			return pingRedis(ctx, address(s.ports.get(Redis)), password)
		},
	}, nil
}

// redisConf is written to a file of mode 0600, because a command line would show the password to every account.
func (s *Stack) redisConf(port int) (string, error) {
	password, err := s.secrets.RedisPassword()
	if err != nil {
		return "", err
	}
	sync := "everysec"
	if s.cfg.Volatile {
		sync = "no"
	}
	lines := []string{
		"bind 127.0.0.1",
		fmt.Sprintf("port %d", port),
		"protected-mode yes",
		"requirepass " + password.Reveal(),
		"dir " + quoteRedis(filepath.Join(s.cfg.Dir, "redis")),
		"appendonly yes",
		"appendfsync " + sync,
		"aof-load-truncated yes",
		"maxmemory-policy noeviction",
		`save ""`, // the append-only file is the copy on disk; snapshots beside it would only cost forks
		fmt.Sprintf("databases %d", s.cfg.RedisDatabases),
		"daemonize no",
		"supervised no",
		`logfile ""`,
		"loglevel notice",
	}
	return strings.Join(lines, "\n") + "\n", nil
}

func quoteRedis(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// pingRedis says in RESP: AUTH, PING, and wants PONG. While Redis loads its file it answers with an error instead.
func pingRedis(ctx context.Context, addr string, password Secret) error {
	conn, err := dial(ctx, addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "AUTH %s\r\nPING\r\n", password.Reveal()); err != nil {
		return err
	}
	r := bufio.NewReader(conn)
	for _, want := range []string{"+OK", "+PONG"} {
		line, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		if line = strings.TrimSpace(line); line != want {
			return fmt.Errorf("redis answers %.60q", line)
		}
	}
	return nil
}

// RedisURL is where Redis answers, with its password, for database 0.
func (s *Stack) RedisURL() string {
	password, err := s.secrets.RedisPassword()
	if err != nil {
		return ""
	}
	u := url.URL{Scheme: "redis", User: url.UserPassword("", password.Reveal()), Host: address(s.ports.get(Redis)), Path: "/0"}
	return u.String()
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// dial connects with the deadline of ctx also on what follows.
func dial(ctx context.Context, addr string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(5 * time.Second)
	}
	if err := conn.SetDeadline(deadline); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}
