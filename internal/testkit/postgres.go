package testkit

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Postgres returns the URL, as superuser, of a fresh empty database that is dropped when the test ends.
func Postgres(t testing.TB) string {
	t.Helper()
	return freshDatabase(t, sharedPostgres.get(t).PostgresURL(""), "template1")
}

// templates are databases that were prepared once and are copied for each test.
var templates = struct {
	sync.Mutex
	made map[string]error
}{made: map[string]error{}}

// PostgresFrom is Postgres with a database that prepare has filled, typically with the migrations. prepare runs once per
// test process and name; each test gets a copy of its result, which takes a few dozen milliseconds.
func PostgresFrom(t testing.TB, name string, prepare func(ctx context.Context, url string) error) string {
	t.Helper()
	admin := sharedPostgres.get(t).PostgresURL("")
	template := "template_" + strings.ToLower(name)
	templates.Lock()
	defer templates.Unlock()
	err, made := templates.made[template]
	if !made {
		err = makeTemplate(admin, template, prepare)
		templates.made[template] = err
	}
	if err != nil {
		t.Fatalf("testkit: prepare the template database %s: %s", name, explain(err))
	}
	return freshDatabase(t, admin, template)
}

func makeTemplate(admin, template string, prepare func(ctx context.Context, url string) error) error {
	if err := execute(admin, "CREATE DATABASE "+quote(template)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return prepare(ctx, withDatabase(admin, template))
}

func freshDatabase(t testing.TB, admin, template string) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	if err := execute(admin, "CREATE DATABASE "+quote(name)+" TEMPLATE "+quote(template)); err != nil {
		t.Fatalf("testkit: make a database: %v", err)
	}
	t.Cleanup(func() {
		if err := execute(admin, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)"); err != nil {
			t.Errorf("testkit: drop the database: %v", err)
		}
	})
	return withDatabase(admin, name)
}

// loginLock keeps parallel tests from altering one role at the same time, which PostgreSQL refuses.
var loginLock sync.Mutex

// Login returns the URL of the same database for another role, which is made when absent and may log in from then on.
// Use it to test grants and row-level security with the rights that the application has.
func Login(t testing.TB, databaseURL, role string) string {
	t.Helper()
	loginLock.Lock()
	defer loginLock.Unlock()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatalf("testkit: database URL: %v", err)
	}
	password, _ := u.User.Password() // the same one for every role: these databases live for one test
	err = execute(databaseURL,
		"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = "+literal(role)+") THEN CREATE ROLE "+quote(role)+"; END IF; END $$",
		"ALTER ROLE "+quote(role)+" LOGIN PASSWORD "+literal(password))
	if err != nil {
		t.Fatalf("testkit: login of %s: %v", role, err)
	}
	u.User = url.UserPassword(role, password)
	return u.String()
}

// execute runs statements one after another, each in its own transaction.
func execute(databaseURL string, statements ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(ctx)
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

func withDatabase(databaseURL, name string) string {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return databaseURL
	}
	u.Path = "/" + name
	return u.String()
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
