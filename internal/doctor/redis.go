package doctor

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// AskRedis reads the facts of a Redis server in its own protocol (RESP 2), so that no driver is needed. Managed servers
// often refuse CONFIG; then those facts stay empty. Of sentinels, or of the nodes of a cluster, the first that answers is asked.
func AskRedis(ctx context.Context, redisURL string) (RedisFacts, error) {
	failed := errors.New("the address is no redis:// URL")
	for _, one := range eachHost(redisURL) {
		facts, err := askOne(ctx, one)
		if err == nil {
			return facts, nil
		}
		failed = err
	}
	return RedisFacts{}, failed
}

// eachHost makes an address of its own of each host in a list ("redis-cluster://:PASSWORD@HOST:PORT,HOST:PORT").
func eachHost(address string) (out []string) {
	scheme, rest, _ := strings.Cut(address, "://")
	plain := "redis"
	if strings.HasPrefix(scheme, "rediss") {
		plain = "rediss"
	}
	end := len(rest)
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		end = i
	}
	at := strings.LastIndex(rest[:end], "@") + 1
	user := rest[:at]
	if scheme == "redis-sentinel" { // the server's password is not the sentinels'
		user = ""
	}
	for host := range strings.SplitSeq(rest[at:end], ",") {
		out = append(out, plain+"://"+user+host)
	}
	return out
}

func askOne(ctx context.Context, redisURL string) (RedisFacts, error) {
	u, err := url.Parse(redisURL)
	if err != nil || u.Hostname() == "" {
		return RedisFacts{}, errors.New("the address is no redis:// URL") // the URL itself may hold a password
	}
	conn, err := dialRedis(ctx, u)
	if err != nil {
		return RedisFacts{}, err
	}
	defer conn.Close()
	c := redisConn{w: conn, r: bufio.NewReader(conn)}
	if password, set := u.User.Password(); set {
		auth := []string{"AUTH", password}
		if name := u.User.Username(); name != "" {
			auth = []string{"AUTH", name, password}
		}
		if _, err := c.do(auth...); err != nil {
			return RedisFacts{}, fmt.Errorf("log in: %w", err)
		}
	}
	return c.facts()
}

func dialRedis(ctx context.Context, u *url.URL) (net.Conn, error) {
	port := u.Port()
	if port == "" {
		port = "6379"
	}
	addr := net.JoinHostPort(u.Hostname(), port)
	dial := (&net.Dialer{}).DialContext
	if u.Scheme == "rediss" {
		dial = (&tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}).DialContext
	}
	conn, err := dial(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(Patience)
	}
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

type redisConn struct {
	w io.Writer
	r *bufio.Reader
}

func (c redisConn) facts() (f RedisFacts, err error) {
	info, err := c.do("INFO", "server")
	if err != nil {
		return f, fmt.Errorf("ask for the version: %w", err)
	}
	if len(info) == 1 {
		for line := range strings.Lines(info[0]) {
			if v, found := strings.CutPrefix(strings.TrimSpace(line), "redis_version:"); found {
				f.Version = v
			}
		}
	}
	for name, to := range map[string]*string{"maxmemory-policy": &f.Policy, "appendonly": &f.AppendOnly} {
		// An error answer means that CONFIG is not ours to ask; a broken line shows at the next question.
		if answer, err := c.do("CONFIG", "GET", name); err == nil && len(answer) == 2 {
			*to = answer[1]
		}
	}
	return f, nil
}

// do sends a command and returns the strings of its answer.
func (c redisConn) do(args ...string) ([]string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := io.WriteString(c.w, b.String()); err != nil {
		return nil, err
	}
	return readReply(c.r, 0)
}

// The longest answer that is believed, in bytes or in elements, and the deepest nesting.
const (
	longestReply = 1 << 20
	deepestReply = 4
)

// readReply reads one RESP 2 answer and flattens arrays.
func readReply(r *bufio.Reader, depth int) ([]string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" || depth > deepestReply {
		return nil, errors.New("not an answer of Redis")
	}
	switch kind, rest := line[0], line[1:]; kind {
	case '+', ':':
		return []string{rest}, nil
	case '-':
		return nil, fmt.Errorf("redis answers %.80q", rest)
	case '$':
		return readBulk(r, rest)
	case '*':
		return readArray(r, rest, depth)
	default:
		return nil, errors.New("not an answer of Redis")
	}
}

func readBulk(r *bufio.Reader, length string) ([]string, error) {
	n, err := replyLength(length)
	if err != nil || n < 0 {
		return []string{""}, err
	}
	text := make([]byte, n+2)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, err
	}
	return []string{string(text[:n])}, nil
}

func readArray(r *bufio.Reader, length string, depth int) ([]string, error) {
	n, err := replyLength(length)
	if err != nil {
		return nil, err
	}
	var all []string
	for range max(n, 0) {
		part, err := readReply(r, depth+1)
		if err != nil {
			return nil, err
		}
		all = append(all, part...)
	}
	return all, nil
}

func replyLength(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n > longestReply || n < -1 {
		return 0, errors.New("not an answer of Redis")
	}
	return n, nil
}
