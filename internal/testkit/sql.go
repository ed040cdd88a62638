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
