package tasks

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"

	"vesper/internal/fault"
)

func TestRedisIsFoundAloneBehindSentinelsAndAsACluster(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]asynq.RedisConnOpt{
		"redis://:secret@one:6379/3": asynq.RedisClientOpt{Addr: "one:6379", Password: "secret", DB: 3},
		"redis-sentinel://:secret@one:26379,two:26379/2?master=queue&sentinel_password=other": asynq.RedisFailoverClientOpt{
			MasterName: "queue", SentinelAddrs: []string{"one:26379", "two:26379"}, Password: "secret", SentinelPassword: "other", DB: 2,
		},
		"redis-cluster://me:s%40cret@one:7000,two:7001,[::1]:7002": asynq.RedisClusterClientOpt{
			Addrs: []string{"one:7000", "two:7001", "[::1]:7002"}, Username: "me", Password: "s@cret",
		},
	} {
		got, err := options(address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s:\n%s", address, d)
		}
	}
	secure, err := options("rediss-cluster://:secret@one:7000")
	if err != nil || secure.(asynq.RedisClusterClientOpt).TLSConfig.ServerName != "one" {
		t.Errorf("a cluster behind TLS is %+v, %v", secure, err)
	}
}

func TestAWrongRedisAddressIsToldWithoutItsPassword(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "one:6379", "http://:hunter2@one:6379", "redis-cluster://", "redis-cluster://:hunter2@one", "redis-cluster://:hunter2@one:7000,two",
		"redis-sentinel://:hunter2@one:26379", "redis-sentinel://:hunter2@one:26379/x?master=m", "redis://:hunter2@one:6379/x",
		"redis-sentinel://:hunter2%@one:26379?master=m",
	} {
		_, err := options(address)
		if fault.As(err).Code != "redis_url" || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q is answered %v", address, err)
		}
	}
}
