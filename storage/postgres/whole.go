package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/internal/fault"
	"vesper/pipeline"
)

// Whole is a connection that sees every row of every practice: for backups and what follows a restoration, nothing else.
type Whole struct {
	conn *pgx.Conn
	tx   pgx.Tx // after Freeze
	url  string
}

// OpenWhole connects as a superuser, or as a role with BYPASSRLS that may read everything. Anybody else would save the
// rows that the policies show, and take them for all.
func OpenWhole(ctx context.Context, adminURL string) (*Whole, error) {
	cfg, err := pgx.ParseConfig(adminURL)
	if err != nil {
		return nil, fault.Wrap(redactedURL(err), fault.Invalid, "database_url", "The administrator's database URL cannot be read. Use postgres://user:password@host:port/name.")
	}
	cfg.ConnectTimeout = connectTimeout
	for k, v := range map[string]string{
		"application_name": "vesper backup", "statement_timeout": "0", "lock_timeout": "0", "idle_in_transaction_session_timeout": "0", "TimeZone": "UTC",
	} {
		cfg.RuntimeParams[k] = v
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, wrap("connect to back up", err)
	}
	var free bool
	err = conn.QueryRow(ctx, `SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user`).Scan(&free)
	if err = wrap("check database login", err); err == nil && !free {
		err = fault.New(fault.Invalid, "backup_role", "This database login does not see every practice, so it cannot save them. Use a superuser, or a role with BYPASSRLS that may read all tables.")
	}
	if err != nil {
		_ = conn.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return &Whole{conn: conn, url: adminURL}, nil
}

// Close ends the connection, and with it the snapshot.
func (w *Whole) Close(ctx context.Context) { _ = w.conn.Close(context.WithoutCancel(ctx)) }

// Freeze begins a transaction that sees the database as it is now, until Close. It returns the snapshot's name for Dump.
func (w *Whole) Freeze(ctx context.Context) (snapshot string, err error) {
	w.tx, err = w.conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return "", wrap("take snapshot", err)
	}
	err = w.tx.QueryRow(ctx, `SELECT pg_export_snapshot()`).Scan(&snapshot)
	return snapshot, wrap("export snapshot", err)
}

// Versions are the schema's version and the major version of the server.
func (w *Whole) Versions(ctx context.Context) (schema, server int, err error) {
	err = w.conn.QueryRow(ctx, `SELECT version, current_setting('server_version_num')::int / 10000 FROM schema_version`).Scan(&schema, &server)
	return schema, server, wrap("read versions", err)
}

// Tables counts the rows of each table, for comparison. Sessions are not saved and not counted.
func (w *Whole) Tables(ctx context.Context) (map[string]int64, error) {
	rows, err := w.conn.Query(ctx, `
		SELECT relname::text FROM pg_class
		WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'sessions' ORDER BY relname`)
	if err != nil {
		return nil, wrap("list tables", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, wrap("list tables", err)
	}
	out := map[string]int64{}
	for _, name := range names {
		var n int64
		if err := w.conn.QueryRow(ctx, `SELECT count(*) FROM `+pgx.Identifier{"public", name}.Sanitize()).Scan(&n); err != nil {
			return nil, wrap("count rows", err)
		}
		out[name] = n
	}
	return out, nil
}

// LastCheckpoint is the newest signed checkpoint of the audit log; size 0 when there is none.
func (w *Whole) LastCheckpoint(ctx context.Context) (size int64, root, signed []byte, err error) {
	err = w.conn.QueryRow(ctx, `SELECT size, root, note FROM audit_checkpoints ORDER BY size DESC LIMIT 1`).Scan(&size, &root, &signed)
	if err = wrap("read last checkpoint", err); fault.KindOf(err) == fault.NotFound {
		return 0, nil, nil, nil
	}
	return size, root, signed, err
}

// EachRecording calls fn for every recording of every practice, by id, but for those that were purged: they are not missing.
func (w *Whole) EachRecording(ctx context.Context, fn func(pipeline.Audio) error) error {
	const page = 500
	kept := ``
	if purges, err := hasPurges(ctx, w.conn); err != nil {
		return err
	} else if purges {
		kept = ` AND NOT EXISTS (SELECT FROM tombstones t WHERE t.audio_id = audio_objects.id)`
	}
	for last := uuid.Nil; ; {
		rows, err := w.conn.Query(ctx, `SELECT `+audioColumns+` FROM audio_objects WHERE id > $1`+kept+` ORDER BY id LIMIT $2`, last, page)
		if err != nil {
			return wrap("list recordings", err)
		}
		list, err := pgx.CollectRows(rows, scanAudio)
		if err != nil {
			return wrap("list recordings", err)
		}
		for _, a := range list {
			if err := fn(a); err != nil {
				return err
			}
		}
		if len(list) < page {
			return nil
		}
		last = list[len(list)-1].ID
	}
}

// hasPurges says whether the schema knows of purges; an older one does not.
func hasPurges(ctx context.Context, conn *pgx.Conn) (has bool, err error) {
	err = conn.QueryRow(ctx, `SELECT to_regclass('public.tombstones') IS NOT NULL`).Scan(&has)
	return has, wrap("look whether there are purges", err)
}

// Purged says whether a recording is purged by now, or on its way out: its objects are deleted before its tombstone is
// written. It looks past the snapshot, on a connection of its own.
func (w *Whole) Purged(ctx context.Context, id uuid.UUID) (purged bool, err error) {
	conn, err := pgx.ConnectConfig(ctx, w.conn.Config())
	if err != nil {
		return false, wrap("connect to look for a purge", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if purges, err := hasPurges(ctx, conn); err != nil || !purges {
		return false, err
	}
	err = conn.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM tombstones WHERE audio_id = $1) OR EXISTS (SELECT FROM purges WHERE audio_id = $1 AND state = 'started')`, id).Scan(&purged)
	return purged, wrap("look for a purge", err)
}

// Place writes the versions that objects have in the store they were restored into; the old ones mean nothing there.
func (w *Whole) Place(ctx context.Context, versions map[uuid.UUID]string) error {
	ids, names := make([]uuid.UUID, 0, len(versions)), make([]string, 0, len(versions))
	for id, name := range versions {
		ids, names = append(ids, id), append(names, name)
	}
	_, err := w.conn.Exec(ctx, `
		UPDATE audio_objects a SET version_id = v.name FROM unnest($1::uuid[], $2::text[]) AS v(id, name)
		WHERE a.id = v.id AND a.version_id <> v.name`, ids, names)
	return wrap("write object versions", err)
}

// WakeJobs forgets doorbells that rang before the restoration, and runs that went on then: nobody hears or does them any
// more, and without this a job would wait for its time to run out. The objects were stored anew, so what the old store was
// asked to lock or to hold has to be asked again.
func (w *Whole) WakeJobs(ctx context.Context) error {
	_, err := w.conn.Exec(ctx, `UPDATE jobs SET dispatched_at = NULL WHERE state = 'queued'`)
	if err == nil {
		_, err = w.conn.Exec(ctx, `UPDATE jobs SET lease_until = now() WHERE state = 'running'`)
	}
	if err == nil {
		_, err = w.conn.Exec(ctx, `UPDATE audio_locks SET locked_until = NULL, held = false`)
	}
	return wrap("wake jobs", err)
}
