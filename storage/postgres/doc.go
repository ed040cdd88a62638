// Package postgres is the truth of Vesper: dictations, notes, jobs and the record, in PostgreSQL. It implements
// pipeline.Store with pgx and is the only place that knows SQL. The schema (migrations/*.sql) carries the invariants:
// append-only tables, guarded states, no delivery without a signature, row-level security by practice.
//
//	Provision (administrator) ─▶ Migrate (owner) ─▶ Open (vesper_serve or vesper_work) ─▶ InTx(practice) ─▶ Tx
//
// Two logins use a migrated database. The web server's sees one practice at a time and nothing else. The workers' also
// sees jobs, states of dictations and audit events across practices, but only while no practice is set: inside InTx it
// is bound to the practice like the other.
package postgres
