package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"

	"vesper/internal/fault"
)

// The roles of a Vesper database. Owner has no login: an administrator, or a login that is a member of it, migrates.
const (
	RoleOwner  = "vesper_owner"
	RoleApp    = "vesper_app"    // group: what serving a practice needs
	RoleWorker = "vesper_worker" // group: what the queue and the record need across practices; a member of RoleApp
	LoginServe = "vesper_serve"  // login of `vesper serve`
	LoginWork  = "vesper_work"   // login of `vesper work`
)

// provisionLock keeps two calls apart: PostgreSQL has no CREATE ROLE IF NOT EXISTS.
const provisionLock = 8_671_204_113

// Provision makes the roles, the two logins and the database. It may be called again at any time: what is there stays,
// and the logins get the passwords given (an empty password leaves the login's as it is). The URL's role must be allowed
// to create roles and databases. Passwords leave this process only as SCRAM verifiers.
func Provision(ctx context.Context, adminURL, dbname, appPassword, workerPassword string) error {
	cfg, err := pgx.ParseConfig(adminURL)
	if err != nil {
		return fault.Wrap(redactedURL(err), fault.Invalid, "database_url", "The administrator's database URL cannot be read. Use postgres://user:password@host:port/postgres.")
	}
	cfg.ConnectTimeout = connectTimeout
	cfg.RuntimeParams["application_name"] = "vesper provision"
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return wrap("connect to provision", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(provisionLock)); err != nil {
		return wrap("lock to provision", err)
	}
	// Closing the connection gives the lock back.
	if err := provisionRolesAtLast(ctx, conn, appPassword, workerPassword); err != nil {
		return err
	}
	return provisionDatabase(ctx, conn, dbname)
}

// provisionRolesAtLast tries again while somebody else sets up the same roles: they belong to the cluster, but an advisory
// lock to one database, so two calls through different databases meet here.
func provisionRolesAtLast(ctx context.Context, conn *pgx.Conn, appPassword, workerPassword string) error {
	for try := 1; ; try++ {
		err := provisionRoles(ctx, conn, appPassword, workerPassword)
		var sql *sqlError
		raced := errors.As(err, &sql) && (sql.state == "XX000" || sql.state == "42710" || sql.state == "23505")
		if !raced || try == 20 {
			return err
		}
		select {
		case <-ctx.Done():
			return wrap("provision roles", ctx.Err())
		case <-time.After(rand.N(100 * time.Millisecond)):
		}
	}
}

func provisionRoles(ctx context.Context, conn *pgx.Conn, appPassword, workerPassword string) error {
	for _, r := range []struct{ name, options string }{
		{RoleOwner, "NOLOGIN"}, {RoleApp, "NOLOGIN"}, {RoleWorker, "NOLOGIN"}, {LoginServe, "LOGIN"}, {LoginWork, "LOGIN"},
	} {
		var exists bool
		if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`, r.name).Scan(&exists); err != nil {
			return wrap("look for role", err)
		}
		if exists {
			continue
		}
		if _, err := conn.Exec(ctx, fmt.Sprintf(`CREATE ROLE %s %s NOSUPERUSER NOCREATEDB NOCREATEROLE`, r.name, r.options)); err != nil {
			return wrap("create role", err)
		}
	}
	_, err := conn.Exec(ctx, fmt.Sprintf(`GRANT %[1]s TO %[2]s; GRANT %[1]s TO %[3]s; GRANT %[2]s TO %[4]s`, RoleApp, RoleWorker, LoginServe, LoginWork))
	if err != nil {
		return wrap("grant roles", err)
	}
	for login, password := range map[string]string{LoginServe: appPassword, LoginWork: workerPassword} {
		if password == "" {
			continue
		}
		verifier, err := scramVerifier(password)
		if err != nil {
			return err
		}
		// A verifier is base64 and punctuation without quotes, so it can stand in a literal.
		if _, err := conn.Exec(ctx, fmt.Sprintf(`ALTER ROLE %s PASSWORD '%s'`, login, verifier)); err != nil {
			return wrap("set password", err)
		}
	}
	return nil
}

func provisionDatabase(ctx context.Context, conn *pgx.Conn, dbname string) error {
	var owner string
	var super bool
	err := conn.QueryRow(ctx, `SELECT coalesce((SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = $1), ''),
		(SELECT rolsuper FROM pg_roles WHERE rolname = current_user)`, dbname).Scan(&owner, &super)
	if err != nil {
		return wrap("look for database", err)
	}
	if !super { // to give a database to a role one must be a member of it
		if _, err := conn.Exec(ctx, `GRANT `+RoleOwner+` TO CURRENT_USER`); err != nil {
			return wrap("join owner", err)
		}
	}
	name := pgx.Identifier{dbname}.Sanitize()
	switch owner {
	case RoleOwner:
	case "":
		if _, err := conn.Exec(ctx, `CREATE DATABASE `+name+` OWNER `+RoleOwner+` TEMPLATE template0 ENCODING 'UTF8'`); err != nil {
			return wrap("create database", err)
		}
	default: // an administrator made it, empty
		if _, err := conn.Exec(ctx, `ALTER DATABASE `+name+` OWNER TO `+RoleOwner); err != nil {
			return wrap("give database to its owner", err)
		}
	}
	_, err = conn.Exec(ctx, `REVOKE ALL ON DATABASE `+name+` FROM PUBLIC; GRANT CONNECT ON DATABASE `+name+` TO `+RoleApp)
	return wrap("grant database", err)
}

// Logins are the URLs of a provisioned database.
type Logins struct {
	Owner string // the administrator's login, on this database: for Migrate
	Serve string
	Work  string
}

// LoginURLs derives the URLs of a provisioned database from the administrator's: same server and parameters.
func LoginURLs(adminURL, dbname, appPassword, workerPassword string) (Logins, error) {
	u, err := url.Parse(adminURL)
	if err != nil || u.Scheme == "" {
		return Logins{}, fault.New(fault.Invalid, "database_url", "The administrator's database URL cannot be read. Use postgres://user:password@host:port/postgres.")
	}
	u.Path = "/" + dbname
	at := func(user *url.Userinfo) string {
		v := *u
		v.User = user
		return v.String()
	}
	return Logins{Owner: u.String(), Serve: at(url.UserPassword(LoginServe, appPassword)), Work: at(url.UserPassword(LoginWork, workerPassword))}, nil
}
