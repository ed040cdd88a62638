package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"vesper/internal/fault"
)

// SQLSTATEs that the migrations raise.
const (
	appendOnly   = "VS001" // UPDATE, DELETE or TRUNCATE of what is never changed
	badMove      = "VS002" // a state that cannot follow
	notSigned    = "VS003" // what needs a signature has none
	signedFixed  = "VS004" // what is signed does not change
	notTheNewest = "VS005" // a version that is not the next, or a signature of an older one
	mustStay     = "VS006" // a recording that no rule lets go; the hint says why
	goneAlready  = "VS007" // a recording that was purged
)

// sqlError is the private cause of a fault: what the server said, without values. The server quotes values in the
// details of an error, and in the message of class 22 (bad data); those may be patient text and are dropped.
type sqlError struct {
	state, constraint, table, message string
}

func (e *sqlError) Error() string {
	out := "SQLSTATE " + e.state
	for _, part := range []string{e.table, e.constraint, e.message} {
		if part != "" {
			out += " " + part
		}
	}
	return out
}

func newSQLError(pg *pgconn.PgError) *sqlError {
	e := &sqlError{state: pg.Code, constraint: pg.ConstraintName, table: pg.TableName, message: pg.Message}
	if strings.HasPrefix(pg.Code, "22") {
		e.message = ""
	}
	return e
}

// retryable reports whether the whole transaction may be run again: serialisation failure or deadlock.
func retryable(err error) bool {
	var e *sqlError
	return errors.As(err, &e) && (e.state == "40001" || e.state == "40P01")
}

// wrap makes a fault of whatever pgx returned, with the operation for the log. Faults pass unchanged.
func wrap(op string, err error) error {
	var f *fault.Error
	var pg *pgconn.PgError
	var connect *pgconn.ConnectError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return err
	case errors.Is(err, pgx.ErrNoRows):
		return fault.Wrap(fmt.Errorf("%s: no rows", op), fault.NotFound, "not_found", "There is no such item in your practice.")
	case errors.As(err, &connect):
		return unavailable(op, err)
	case errors.As(err, &pg):
		return wrapSQL(op, newSQLError(pg))
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", op, err)
	case broken(err):
		return unavailable(op, err)
	default:
		return fmt.Errorf("%s: %w", op, err)
	}
}

func unavailable(op string, err error) error {
	return fault.Wrap(fmt.Errorf("%s: %w", op, err), fault.Unavailable, "database_unavailable", "The database cannot be reached right now. Nothing is lost; try again in a moment.")
}

// conflicts names what each unique key means to a person.
var conflicts = map[string][2]string{
	"practices_name_key":                 {"practice_exists", "There is already a practice of this name."},
	"people_login":                       {"login_taken", "This login is taken. Choose another."},
	"patients_practice_id_mrn_key":       {"mrn_taken", "There is already a patient with this record number."},
	"dictations_client_key":              {"client_key_taken", "This dictation was already sent."},
	"audio_objects_same_bytes":           {"audio_already_received", "This recording was already sent."},
	"notes_dictation_id_key":             {"note_exists", "This dictation already has a note."},
	"note_versions_note_id_number_key":   {"version_conflict", "Someone saved this note in the meantime. Read it again and repeat your change."},
	"signatures_note_id_key":             {"already_signed", "This note is already signed. Write an addendum to change it."},
	"deliveries_signature_id_target_key": {"delivery_exists", "This note is already on its way to the EHR."},
	"webhooks_live":                      {"webhook_exists", "This address is told already."},
	"turnaround_plans_pkey":              {"settings_changed", "Somebody changed these settings meanwhile. Reload the page and repeat your change."},
	"escalation_rules_pkey":              {"settings_changed", "Somebody changed these settings meanwhile. Reload the page and repeat your change."},
	"transcripts_job_id_key":             {"transcript_exists", "This run already has its transcript."},
}

func wrapSQL(op string, e *sqlError) error {
	cause := fmt.Errorf("%s: %w", op, e)
	as := func(kind fault.Kind, code, public string) error { return fault.Wrap(cause, kind, code, public) }
	switch {
	case e.state == "23505":
		if c, ok := conflicts[e.constraint]; ok {
			return as(fault.Conflict, c[0], c[1])
		}
		return as(fault.Conflict, "already_exists", "This exists already.")
	case e.state == "23503":
		return as(fault.Invalid, "reference_unknown", "Something this refers to does not exist in your practice. Read the page again and repeat.")
	case e.state == "23514", e.state == "23502":
		return as(fault.Internal, "refused_by_database", "The database refused this because it would break a rule. Nothing was changed.")
	case e.state == appendOnly:
		return as(fault.Internal, "append_only", "The history is never changed.")
	case e.state == badMove:
		return as(fault.Conflict, "state_changed", "This was changed by someone else in the meantime. Read it again and repeat.")
	case e.state == notSigned:
		return as(fault.Conflict, "not_signed", "This needs the signature of the note's author first.")
	case e.state == signedFixed:
		return as(fault.Conflict, "already_signed", "This note is already signed. Write an addendum to change it.")
	case e.state == notTheNewest:
		return as(fault.Conflict, "version_conflict", "Someone saved this note in the meantime. Read it again and repeat your change.")
	case e.state == mustStay:
		return as(fault.Conflict, "recording_kept", "This recording must be kept.")
	case e.state == goneAlready:
		return as(fault.Conflict, "recording_purged", "The recording was purged under the practice's rule, so this step is not possible any more.")
	case e.state == "42501":
		return as(fault.Internal, "database_permission", "The database login may not do this. Check that `vesper migrate` was run and which login is configured.")
	case e.state == "42P01", e.state == "42703", e.state == "42883":
		return as(fault.Internal, "schema_old", "The database's schema does not fit this program. Run `vesper migrate`.")
	case e.state == "22021", e.state == "22P05":
		return as(fault.Invalid, "text_unstorable", "The text holds characters that cannot be kept. Remove control characters and try again.")
	case e.state == "53100":
		return as(fault.Unavailable, "database_full", "The database's disk is full. Free space; nothing is lost.")
	case e.state == "40001", e.state == "40P01", e.state == "55P03", e.state == "57014":
		return as(fault.Unavailable, "database_busy", "The database is busy. Try again in a moment.")
	case strings.HasPrefix(e.state, "08"), strings.HasPrefix(e.state, "53"), strings.HasPrefix(e.state, "57P"), strings.HasPrefix(e.state, "58"),
		strings.HasPrefix(e.state, "28"), e.state == "3D000":
		return unavailable(op, e)
	default:
		return cause
	}
}
