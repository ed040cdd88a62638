package testkit

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Exec runs SQL in a database and returns the number of rows that it touched. Without arguments it may be several
// statements, which share a transaction. Tests use it for what the program itself cannot do: to break things, and to move
// time.
func Exec(t testing.TB, databaseURL, sql string, args ...any) int64 {
	t.Helper()
	n, err := TryExec(databaseURL, sql, args...)
	if err != nil {
		t.Fatalf("testkit: %s: %v", sql, err)
	}
	return n
}

// TryExec is Exec for SQL that may be refused.
func TryExec(databaseURL, sql string, args ...any) (int64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	tag, err := conn.Exec(ctx, sql, args...)
	return tag.RowsAffected(), err
}

// Column returns the only column of a query's rows.
func Column[T any](t testing.TB, databaseURL, sql string, args ...any) []T {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		t.Fatalf("testkit: connect: %v", err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		t.Fatalf("testkit: %s: %v", sql, err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("testkit: %s: %v", sql, err)
	}
	return out
}

// Counter asks one database for numbers, again and again, over one connection.
type Counter struct {
	t    testing.TB
	url  string
	conn *pgx.Conn
}

// NewCounter connects when it is first asked, and again after the server was restarted.
func NewCounter(t testing.TB, databaseURL string) *Counter {
	c := &Counter{t: t, url: databaseURL}
	t.Cleanup(func() {
		if c.conn != nil {
			_ = c.conn.Close(context.Background()) // the database may be gone
		}
	})
	return c
}

// Count returns the one number that a query answers.
func (c *Counter) Count(sql string, args ...any) (n int) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for fresh := false; ; {
		if c.conn == nil || c.conn.IsClosed() {
			conn, err := pgx.Connect(ctx, c.url)
			if err != nil {
				c.t.Fatalf("testkit: connect: %v", err)
			}
			c.conn, fresh = conn, true
		}
		err := c.conn.QueryRow(ctx, sql, args...).Scan(&n)
		if err == nil {
			return n
		}
		if fresh || !c.conn.IsClosed() {
			c.t.Fatalf("testkit: %s: %v", sql, err)
		}
	}
}

// TryValue returns the one value of a query's first row, for callers that can do without it.
func TryValue[T any](databaseURL, sql string, args ...any) (v T, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return v, err
	}
	defer conn.Close(ctx)
	return v, conn.QueryRow(ctx, sql, args...).Scan(&v)
}
