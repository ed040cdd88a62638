package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"vesper/internal/fault"
	"vesper/pipeline"
)

var _ pipeline.Store = (*Store)(nil)

// Bounds of a connection. A statement that takes longer is cancelled by the server, so that nothing waits for ever.
const (
	connectTimeout   = 5 * time.Second
	statementTimeout = 30 * time.Second
	lockTimeout      = 10 * time.Second
	idleInTx         = 60 * time.Second
	defaultConns     = 12
	minServer        = 150000 // PostgreSQL 15: what the migrations are written for
)

// Store is a pool of connections to a migrated database. It is safe for concurrent use.
type Store struct {
	pool   *pgxpool.Pool
	log    *slog.Logger
	worker bool          // the login may do the workers' part
	doubt  chan struct{} // something in the schema was missing: WatchSchema looks at once
}

// Open connects and checks what the login may do: a superuser, or a role that bypasses row-level security, is refused.
// The URL may carry pool_max_conns. It does not look at the schema; call RequireSchema.
func Open(ctx context.Context, url string, log *slog.Logger) (*Store, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fault.Wrap(redactedURL(err), fault.Invalid, "database_url", "The database URL cannot be read. Use postgres://user:password@host:port/name.")
	}
	if !maxConnsGiven(url) {
		cfg.MaxConns = defaultConns
	}
	cfg.MaxConnLifetime = time.Hour
	cfg.MaxConnIdleTime = 10 * time.Minute
	cfg.HealthCheckPeriod = 30 * time.Second
	cfg.ConnConfig.ConnectTimeout = connectTimeout
	cfg.ConnConfig.Tracer = tracer{}
	for k, v := range map[string]string{
		"application_name":                    "vesper",
		"statement_timeout":                   millis(statementTimeout),
		"lock_timeout":                        millis(lockTimeout),
		"idle_in_transaction_session_timeout": millis(idleInTx),
		"TimeZone":                            "UTC",
	} {
		if _, given := cfg.ConnConfig.RuntimeParams[k]; !given {
			cfg.ConnConfig.RuntimeParams[k] = v
		}
	}
	s := &Store{log: log, doubt: make(chan struct{}, 1)}
	s.watchErrors(cfg)
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, wrap("open database", err)
	}
	s.pool = pool
	if err := s.checkLogin(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

// checkLogin learns what the login may do and refuses the ones that no policy binds.
func (s *Store) checkLogin(ctx context.Context) error {
	var server int
	var name string
	var free, app, worker bool
	err := s.pool.QueryRow(ctx, `
		SELECT current_setting('server_version_num')::int, current_user::text, rolsuper OR rolbypassrls,
		       coalesce((SELECT pg_has_role(current_user, oid, 'usage') FROM pg_roles WHERE rolname = 'vesper_app'), false),
		       coalesce((SELECT pg_has_role(current_user, oid, 'usage') FROM pg_roles WHERE rolname = 'vesper_worker'), false)
		FROM pg_roles WHERE rolname = current_user`).Scan(&server, &name, &free, &app, &worker)
	switch {
	case err != nil:
		return wrap("check database login", err)
	case server < minServer:
		return fault.New(fault.Invalid, "database_too_old", fmt.Sprintf("This PostgreSQL is version %d; Vesper needs 15 or later.", server/10000))
	case free:
		return fault.New(fault.Invalid, "database_role_too_powerful", "The database login "+name+" bypasses row-level security. Use vesper_serve or vesper_work, which `vesper migrate` provisions.")
	case !app:
		return fault.New(fault.Invalid, "database_role_unknown", "The database login "+name+" is not a member of vesper_app. Use vesper_serve or vesper_work, which `vesper migrate` provisions.")
	}
	s.worker = worker
	return nil
}

// Close gives the connections back. It waits for those in use.
func (s *Store) Close() { s.pool.Close() }

// Ping asks the server for an answer.
func (s *Store) Ping(ctx context.Context) error { return wrap("ping database", s.pool.Ping(ctx)) }

// Version is the server's version in words, for the doctor.
func (s *Store) Version(ctx context.Context) (string, error) {
	var v string
	err := s.pool.QueryRow(ctx, `SELECT current_setting('server_version')`).Scan(&v)
	return v, wrap("read server version", err)
}

// requireWorker keeps row-level security from answering "nothing to do" to a login that may not see the work.
func (s *Store) requireWorker(op string) error {
	if s.worker {
		return nil
	}
	return fault.New(fault.Internal, "database_role_not_worker", "To "+op+", connect with a login that is a member of vesper_worker (vesper_work).")
}
