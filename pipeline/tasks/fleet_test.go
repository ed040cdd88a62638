package tasks_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"vesper/internal/services"
	"vesper/internal/testkit"
	"vesper/pipeline"
)

const secret = "fleet-password"

// redisServer runs one real Redis with these settings until the test or the returned function ends it.
func redisServer(t *testing.T, port int, args ...string) (kill func()) {
	t.Helper()
	program, err := services.FindRedis(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "redis.conf") // a sentinel keeps its state in its configuration
	lines := append([]string{"bind 127.0.0.1", fmt.Sprintf("port %d", port), "dir " + dir, "save \"\""}, args...)
	if err := os.WriteFile(config, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program.Path, config)
	for _, line := range args {
		if strings.HasPrefix(line, "sentinel ") {
			cmd.Args = append(cmd.Args, "--sentinel")
			break
		}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	kill = func() {
		if !ended {
			ended = true
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
	t.Cleanup(kill)
	testkit.Until(t, 20*time.Second, "Redis answers", func() bool { return command(port, "", "PING") == nil || command(port, secret, "PING") == nil })
	return kill
}

func command(port int, password string, args ...any) error {
	c := redis.NewClient(&redis.Options{Addr: fmt.Sprintf("127.0.0.1:%d", port), Password: password, MaxRetries: -1, DialerRetries: 1})
	defer c.Close()
	return c.Do(context.Background(), args...).Err()
}

// freePorts finds ports whose neighbour for a cluster's own traffic (port + 10000) is free too.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var out []int
	for len(out) < n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		if port := ln.Addr().(*net.TCPAddr).Port; port < 55000 {
			out = append(out, port)
		}
	}
	return out
}

func TestAClusterOfRedisServersCarriesDoorbells(t *testing.T) {
	t.Parallel()
	ports := freePorts(t, 3)
	var nodes []string
	for _, port := range ports {
		redisServer(t, port, "cluster-enabled yes", "requirepass "+secret, "masterauth "+secret)
		nodes = append(nodes, fmt.Sprintf("127.0.0.1:%d", port))
	}
	create := append([]string{"-a", secret, "--no-auth-warning", "--cluster", "create"}, append(nodes, "--cluster-yes")...)
	if out, err := exec.Command("redis-cli", create...).CombinedOutput(); err != nil {
		t.Fatalf("make the cluster: %v\n%s", err, out)
	}
	url := "redis-cluster://:" + secret + "@" + strings.Join(nodes, ",")
	var got answered
	serve(t, url, 2, got.do)
	b := bell(t, url)
	want := []pipeline.Doorbell{doorbell(pipeline.Routine), doorbell(pipeline.Stat)}
	for _, d := range want {
		testkit.Until(t, 30*time.Second, "the cluster takes the doorbell", func() bool { return b.Ring(context.Background(), d) == nil })
	}
	testkit.Until(t, 30*time.Second, "both doorbells are answered", func() bool { return len(got.list()) == len(want) })
}

func TestDoorbellsGoOnAfterSentinelsChoseAnotherServer(t *testing.T) {
	t.Parallel()
	ports := freePorts(t, 3)
	auth := []string{"requirepass " + secret, "masterauth " + secret}
	killFirst := redisServer(t, ports[0], auth...)
	redisServer(t, ports[1], append(auth, fmt.Sprintf("replicaof 127.0.0.1 %d", ports[0]))...)
	testkit.Until(t, 30*time.Second, "the replica follows", func() bool { return command(ports[0], secret, "WAIT", 1, 100) == nil && follows(ports[1]) })
	redisServer(t, ports[2],
		fmt.Sprintf("sentinel monitor queue 127.0.0.1 %d 1", ports[0]), "sentinel auth-pass queue "+secret,
		"sentinel down-after-milliseconds queue 500", "sentinel failover-timeout queue 3000")
	url := fmt.Sprintf("redis-sentinel://:%s@127.0.0.1:%d/0?master=queue", secret, ports[2])
	var got answered
	serve(t, url, 2, got.do)
	b := bell(t, url)
	testkit.Until(t, 30*time.Second, "the first server takes a doorbell", func() bool { return b.Ring(context.Background(), doorbell(pipeline.Routine)) == nil })
	testkit.Until(t, 30*time.Second, "it is answered", func() bool { return len(got.list()) >= 1 })
	testkit.Until(t, 30*time.Second, "the sentinel knows the replica", func() bool { return knowsReplica(ports[2]) })
	killFirst()
	after := doorbell(pipeline.Stat)
	testkit.Until(t, time.Minute, "the second server takes a doorbell", func() bool { return b.Ring(context.Background(), after) == nil })
	testkit.Until(t, time.Minute, "it is answered", func() bool {
		for _, d := range got.list() {
			if d.JobID == after.JobID {
				return true
			}
		}
		return false
	})
}

func follows(port int) bool {
	c := redis.NewClient(&redis.Options{Addr: fmt.Sprintf("127.0.0.1:%d", port), Password: secret})
	defer c.Close()
	info, err := c.Info(context.Background(), "replication").Result()
	return err == nil && strings.Contains(info, "master_link_status:up")
}

func knowsReplica(port int) bool {
	c := redis.NewSentinelClient(&redis.Options{Addr: fmt.Sprintf("127.0.0.1:%d", port)})
	defer c.Close()
	all, err := c.Replicas(context.Background(), "queue").Result()
	return err == nil && len(all) == 1
}
