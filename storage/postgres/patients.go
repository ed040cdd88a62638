package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/internal/fault"
	"vesper/pipeline"
)

const patientColumns = `id, practice_id, mrn, name, coalesce(to_char(birth_date, 'YYYY-MM-DD'), ''), sex, ehr_ref`

func scanPatient(row pgx.CollectableRow) (p pipeline.Patient, err error) {
	err = row.Scan(&p.ID, &p.PracticeID, &p.MRN, &p.Name, &p.BirthDate, &p.Sex, &p.EHRRef)
	return p, err
}

func (t *tx) InsertPatient(ctx context.Context, p pipeline.Patient) error {
	id, err := newID(p.ID)
	if err != nil {
		return err
	}
	var born *time.Time
	if p.BirthDate != "" {
		d, err := time.Parse(time.DateOnly, p.BirthDate)
		if err != nil {
			return fault.New(fault.Invalid, "birth_date", "Give the date of birth as year-month-day, for example 1960-04-30.")
		}
		born = &d
	}
	_, err = t.Exec(ctx, `
		INSERT INTO patients (id, practice_id, mrn, name, birth_date, sex, ehr_ref) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		id, t.own(p.PracticeID), p.MRN, p.Name, born, p.Sex, p.EHRRef)
	return wrap("insert patient", err)
}

func (t *tx) Patient(ctx context.Context, id uuid.UUID) (pipeline.Patient, error) {
	return get(ctx, t, "read patient", scanPatient, `SELECT `+patientColumns+` FROM patients WHERE id = $1`, id)
}

func (t *tx) FindPatientByMRN(ctx context.Context, mrn string) (*pipeline.Patient, error) {
	return find(ctx, t, "find patient", scanPatient, `SELECT `+patientColumns+` FROM patients WHERE practice_id = $1 AND mrn = $2`, t.practice, mrn)
}

// Patients finds those whose name or record number holds every word of search: first those whose name begins with one of
// them, then others by name. A word of one or two letters counts at the beginning of a word only; alone, at the beginning of
// the name. Where more than a thousand match, not all of them are looked at: see search_patients in 022. What a person types
// is no pattern.
func (t *tx) Patients(ctx context.Context, search string, limit int) ([]pipeline.Patient, error) {
	words := strings.Fields(strings.ToLower(search))
	if len(words) == 0 {
		return list(ctx, t, "list patients", scanPatient, `
			SELECT `+patientColumns+` FROM patients WHERE practice_id = $1 ORDER BY name, id LIMIT $2`, t.practice, atMost(limit))
	}
	return list(ctx, t, "search patients", scanPatient, `SELECT `+patientColumns+` FROM search_patients($1, $2)`, words, atMost(limit))
}

// encounterSelect reads visits with the names of their patients.
const encounterSelect = `
	SELECT e.id, e.practice_id, e.patient_id, e.author_id, e.starts, e.title, e.ehr_ref, p.name, p.mrn
	FROM encounters e JOIN patients p ON p.id = e.patient_id`

func scanEncounter(row pgx.CollectableRow) (e pipeline.Encounter, err error) {
	err = row.Scan(&e.ID, &e.PracticeID, &e.PatientID, &e.AuthorID, &e.Starts, &e.Title, &e.EHRRef, &e.PatientName, &e.MRN)
	e.Starts = e.Starts.UTC()
	return e, err
}

func (t *tx) InsertEncounter(ctx context.Context, e pipeline.Encounter) error {
	id, err := newID(e.ID)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `
		INSERT INTO encounters (id, practice_id, patient_id, author_id, starts, title, ehr_ref) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		id, t.own(e.PracticeID), e.PatientID, e.AuthorID, e.Starts, e.Title, e.EHRRef)
	return wrap("insert encounter", err)
}

func (t *tx) Encounter(ctx context.Context, id uuid.UUID) (pipeline.Encounter, error) {
	return get(ctx, t, "read encounter", scanEncounter, encounterSelect+` WHERE e.id = $1`, id)
}

func (t *tx) Encounters(ctx context.Context, author uuid.UUID, from time.Time, limit int) ([]pipeline.Encounter, error) {
	return list(ctx, t, "list encounters", scanEncounter, encounterSelect+`
		WHERE e.practice_id = $1 AND e.author_id = $2 AND e.starts >= $3 ORDER BY e.starts, e.id LIMIT $4`, t.practice, author, from, atMost(limit))
}

// The length of a list when the caller names none.
const defaultLimit = 100

// atMost is the limit of a list: what the caller names, or the default.
func atMost(n int) int {
	if n <= 0 {
		return defaultLimit
	}
	return n
}
