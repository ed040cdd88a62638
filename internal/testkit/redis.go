package testkit

import (
	"context"
	"fmt"
	"net/url"
	"testing"

	"github.com/redis/go-redis/v9"
)

// How many tests of one process can use Redis at the same time.
const redisDatabases = 256

// redisFree holds the numbers of the logical databases that no test uses. Number 0 is left out, so that a client that
// forgets its number is noticed.
var redisFree = func() chan int {
	free := make(chan int, redisDatabases)
	for n := 1; n < redisDatabases; n++ {
		free <- n
	}
	return free
}()

// Redis returns the URL of an empty logical database that belongs to this test until it ends.
func Redis(t testing.TB) string {
	t.Helper()
	base := sharedRedis.get(t).RedisURL()
	n := <-redisFree
	own := withDatabase(base, fmt.Sprint(n))
	t.Cleanup(func() {
		if err := flush(own, func(c *redis.Client) *redis.StatusCmd { return c.FlushDB(context.Background()) }); err != nil {
			t.Errorf("testkit: empty the Redis database: %v", err)
		}
		redisFree <- n
	})
	return own
}

func flush(redisURL string, how func(*redis.Client) *redis.StatusCmd) error {
	if _, err := url.Parse(redisURL); err != nil {
		return err
	}
	options, err := redis.ParseURL(redisURL)
	if err != nil {
		return err
	}
	client := redis.NewClient(options)
	defer client.Close()
	return how(client).Err()
}
