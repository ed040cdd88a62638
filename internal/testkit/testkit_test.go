package testkit_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"vesper/internal/services"
	"vesper/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func query[T any](t *testing.T, url, sql string) (v T, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return v, err
	}
	defer conn.Close(ctx)
	return v, conn.QueryRow(ctx, sql).Scan(&v)
}

func mustQuery[T any](t *testing.T, url, sql string) T {
	t.Helper()
	v, err := query[T](t, url, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func TestEachTestGetsItsOwnEmptyDatabase(t *testing.T) {
	t.Parallel()
	one, two := testkit.Postgres(t), testkit.Postgres(t)
	mustQuery[int](t, one, "WITH made AS (SELECT 1) SELECT 1 FROM made")
	if a, b := mustQuery[string](t, one, "SELECT current_database()"), mustQuery[string](t, two, "SELECT current_database()"); a == b {
		t.Fatalf("both databases are %s", a)
	}
	if n := mustQuery[int](t, two, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"); n != 0 {
		t.Fatalf("a fresh database holds %d tables", n)
	}
}

func TestATemplateIsPreparedOnceAndCopiedForEachTest(t *testing.T) {
	t.Parallel()
	prepared := 0
	prepare := func(ctx context.Context, url string) error {
		prepared++
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, "CREATE TABLE counted (n int); INSERT INTO counted VALUES (1)")
		return err
	}
	one := testkit.PostgresFrom(t, "counted", prepare)
	two := testkit.PostgresFrom(t, "counted", prepare)
	if n := mustQuery[int](t, one, "INSERT INTO counted VALUES (2) RETURNING n"); n != 2 {
		t.Fatalf("inserted %d", n)
	}
	if n := mustQuery[int](t, two, "SELECT count(*) FROM counted"); n != 1 {
		t.Fatalf("the second copy sees the first one's row: %d rows", n)
	}
	if prepared != 1 {
		t.Fatalf("prepared %d times", prepared)
	}
}

func TestALoginHasOnlyTheRightsOfItsRole(t *testing.T) {
	t.Parallel()
	admin := testkit.Postgres(t)
	url := testkit.Login(t, admin, "kit_reader")
	if who := mustQuery[string](t, url, "SELECT current_user"); who != "kit_reader" {
		t.Fatalf("logged in as %s", who)
	}
	if _, err := query[int](t, url, "SELECT count(*)::int FROM pg_authid"); err == nil {
		t.Fatal("an ordinary role may read the passwords")
	}
}

func TestRedisDatabasesAreSeparate(t *testing.T) {
	t.Parallel()
	clients := make([]*redis.Client, 2)
	for i := range clients {
		o, err := redis.ParseURL(testkit.Redis(t))
		if err != nil {
			t.Fatal(err)
		}
		clients[i] = redis.NewClient(o)
		defer clients[i].Close()
	}
	if err := clients[0].Set(t.Context(), "key", "value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if n, err := clients[1].Exists(t.Context(), "key").Result(); err != nil || n != 0 {
		t.Fatalf("the other database has %d keys, %v", n, err)
	}
	policy, err := clients[0].ConfigGet(t.Context(), "maxmemory-policy").Result()
	if err != nil || policy["maxmemory-policy"] != "noeviction" {
		t.Fatalf("policy %v, %v", policy, err)
	}
}

func TestTheStoreAnswersAndBucketNamesDiffer(t *testing.T) {
	t.Parallel()
	a, b := testkit.S3(t), testkit.S3(t)
	if a.Name == b.Name {
		t.Fatal("two tests share a bucket")
	}
	resp, err := http.Get(a.Endpoint + "/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if resp.StatusCode != http.StatusForbidden || strings.Contains(a.Host(), "/") {
		t.Fatalf("without credentials the store at %s says %s", a.Host(), resp.Status)
	}
}

func TestOwnServicesCanBeStoppedWipedAndStartedAgain(t *testing.T) {
	t.Parallel()
	own := testkit.Own(t)
	url := own.PostgresURL()
	mustQuery[int](t, url, "SELECT 1")
	own.StopPostgres(true)
	if _, err := query[int](t, url, "SELECT 1"); err == nil {
		t.Fatal("a stopped PostgreSQL answers")
	}
	own.StartPostgres()
	mustQuery[int](t, url, "SELECT 1")

	o, err := redis.ParseURL(own.RedisURL())
	if err != nil {
		t.Fatal(err)
	}
	o.MaxRetries = -1
	client := redis.NewClient(o)
	defer client.Close()
	set := func() error { return client.Set(t.Context(), "key", "value", 0).Err() }
	if err := set(); err != nil {
		t.Fatal(err)
	}
	own.FlushRedis()
	if n := client.DBSize(t.Context()).Val(); n != 0 {
		t.Fatalf("a flushed Redis holds %d keys", n)
	}
	own.StopRedis()
	if set() == nil {
		t.Fatal("a stopped Redis answers")
	}
	own.StartRedis()
	if err := set(); err != nil {
		t.Fatal(err)
	}
	own.StopS3()
	own.StartS3()
	own.Kill(services.Redis)
	testkit.Until(t, 10*time.Second, "Redis is back after kill -9", func() bool { return set() == nil })
}

func TestTheClockMovesOnlyWhenTold(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := testkit.NewClock(start)
	c.Advance(time.Hour)
	if got := c.Now(); !got.Equal(start.Add(time.Hour)) {
		t.Fatal(got)
	}
}
