package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/audit"
	"vesper/internal/fault"
	"vesper/pipeline"
	"vesper/storage/postgres"
)

// keysCmd makes the files that serve and work share.
type keysCmd struct {
	Dir string `arg:"" help:"Folder for master_key, audit_signing_key and audit_public_key."`
}

// Run never overwrites a key: what it locked could not be opened again.
func (c *keysCmd) Run(rt *runtime) error {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return fault.Wrap(err, fault.Invalid, "keys_folder", "The folder cannot be made.")
	}
	master := make([]byte, 32)
	if _, err := rand.Read(master); err != nil {
		return fmt.Errorf("read random bytes: %w", err)
	}
	secret, public, err := audit.NewKey()
	if err != nil {
		return fmt.Errorf("make audit key: %w", err)
	}
	files := [][2]string{
		{"master_key", base64.RawURLEncoding.EncodeToString(master)}, {"audit_signing_key", secret}, {"audit_public_key", public},
	}
	for _, f := range files {
		if _, err := os.Stat(filepath.Join(c.Dir, f[0])); err == nil {
			return fault.New(fault.Conflict, "key_exists", "The folder holds "+f[0]+" already. Keys are never overwritten; choose another folder.")
		}
	}
	for _, f := range files {
		path := filepath.Join(c.Dir, f[0])
		if err := os.WriteFile(path, []byte(f[1]), 0o600); err != nil {
			return fault.Wrap(err, fault.Unavailable, "keys_folder", "The key cannot be written.")
		}
		fmt.Fprintln(rt.out, path)
	}
	fmt.Fprintln(rt.out, "Keep a copy of master_key in a safe place: without it no recording can be heard again.")
	return nil
}

// patientsCmd imports the references to patients and visits that dictations are bound to.
type patientsCmd struct {
	databaseFlags
	Practice string `help:"Name of the practice." required:""`
	File     string `arg:"" help:"CSV with a header: mrn,name,birth_date,sex,ehr_ref and, for visits, visit_author,visit_starts,visit_title,visit_ehr_ref."`
	Data     string `help:"Data folder of a running vesper up; instead of --database-url." default:"./data" placeholder:"DIR"`
}

// Run writes all rows or none. A patient whose record number is known already is not changed; its visit is added.
func (c *patientsCmd) Run(rt *runtime) error {
	f, err := os.Open(c.File)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "file_unreadable", "The file cannot be opened. Check its name and that you may read it.")
	}
	defer f.Close()
	url, err := databaseOf(c.databaseFlags, c.Data)
	if err != nil {
		return err
	}
	store, err := postgres.Open(rt.ctx, url, rt.log)
	if err != nil {
		return err
	}
	defer store.Close()
	practices, err := store.Practices(rt.ctx)
	if err != nil {
		return err
	}
	practice, ok := practices[c.Practice]
	if !ok {
		return fault.New(fault.NotFound, "practice_unknown", "There is no practice of this name. Create it with vesper practice.")
	}
	rows, err := readCSV(f)
	if err != nil {
		return err
	}
	var patients, visits int
	err = store.InTx(rt.ctx, practice, func(ctx context.Context, tx pipeline.Tx) error {
		patients, visits, err = importRows(ctx, tx, practice, rows)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(rt.out, "%d new patients, %d visits\n", patients, visits)
	return nil
}

// readCSV returns the rows by column name.
func readCSV(r io.Reader) ([]map[string]string, error) {
	in := csv.NewReader(r)
	in.TrimLeadingSpace = true
	header, err := in.Read()
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "csv_header", "The file has no header line.")
	}
	known := "mrn name birth_date sex ehr_ref visit_author visit_starts visit_title visit_ehr_ref"
	for _, h := range header {
		if !strings.Contains(" "+known+" ", " "+strings.TrimSpace(h)+" ") {
			return nil, fault.New(fault.Invalid, "csv_header", "The header has a column that is not known. The columns are: "+known+".")
		}
	}
	var rows []map[string]string
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			line, _ := in.FieldPos(0)
			return nil, fault.New(fault.Invalid, "csv_row", fmt.Sprintf("Line %d cannot be read as CSV.", line))
		}
		row := map[string]string{}
		for i, h := range header {
			row[strings.TrimSpace(h)] = strings.TrimSpace(record[i])
		}
		rows = append(rows, row)
	}
}

func importRows(ctx context.Context, tx pipeline.Tx, practice uuid.UUID, rows []map[string]string) (patients, visits int, err error) {
	physicians, err := tx.People(ctx, string(access.Physician))
	if err != nil {
		return 0, 0, err
	}
	logins := map[string]uuid.UUID{}
	for _, p := range physicians {
		logins[strings.ToLower(p.Login)] = p.ID
	}
	for i, row := range rows {
		id, isNew, err := importPatient(ctx, tx, practice, row)
		if err != nil {
			return 0, 0, rowFault(i, err)
		}
		if isNew {
			patients++
		}
		if row["visit_starts"] == "" {
			continue
		}
		if err := importVisit(ctx, tx, practice, id, logins, row); err != nil {
			return 0, 0, rowFault(i, err)
		}
		visits++
	}
	actor := access.SystemActor(practice)
	return patients, visits, tx.Audit(ctx, audit.Event{
		PracticeID: practice, ActorRole: string(actor.Role), Action: "patient.import", Subject: "practice", SubjectID: practice, Outcome: "done",
		Detail: map[string]string{"patients": fmt.Sprint(patients), "visits": fmt.Sprint(visits)},
	})
}

func importPatient(ctx context.Context, tx pipeline.Tx, practice uuid.UUID, row map[string]string) (uuid.UUID, bool, error) {
	if row["mrn"] == "" {
		return uuid.Nil, false, fault.New(fault.Invalid, "csv_row", "the record number (mrn) is missing")
	}
	known, err := tx.FindPatientByMRN(ctx, row["mrn"])
	if err != nil || known != nil {
		if known != nil {
			return known.ID, false, nil
		}
		return uuid.Nil, false, err
	}
	if row["name"] == "" || row["ehr_ref"] == "" {
		return uuid.Nil, false, fault.New(fault.Invalid, "csv_row", "a new patient needs name and ehr_ref")
	}
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, false, err
	}
	return id, true, tx.InsertPatient(ctx, pipeline.Patient{
		ID: id, PracticeID: practice, MRN: row["mrn"], Name: row["name"], BirthDate: row["birth_date"], Sex: row["sex"], EHRRef: row["ehr_ref"],
	})
}

func importVisit(ctx context.Context, tx pipeline.Tx, practice, patient uuid.UUID, logins map[string]uuid.UUID, row map[string]string) error {
	starts, err := time.Parse(time.RFC3339, row["visit_starts"])
	if err != nil {
		return fault.New(fault.Invalid, "csv_row", "visit_starts must look like 2026-01-31T09:30:00Z")
	}
	author, ok := logins[strings.ToLower(row["visit_author"])]
	if !ok {
		return fault.New(fault.Invalid, "csv_row", "visit_author must be the login of a physician of the practice")
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	return tx.InsertEncounter(ctx, pipeline.Encounter{
		ID: id, PracticeID: practice, PatientID: patient, AuthorID: author, Starts: starts, Title: row["visit_title"], EHRRef: row["visit_ehr_ref"],
	})
}

// rowFault says in which line a mistake is, never what stands there.
func rowFault(i int, err error) error {
	f := fault.As(err)
	return fault.Wrap(err, f.Kind, f.Code, fmt.Sprintf("Line %d: %s. Nothing was imported.", i+2, strings.TrimSuffix(f.Public, ".")))
}
