package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/audit"
	"vesper/internal/fault"
	"vesper/internal/sample"
	"vesper/notes/templates"
	"vesper/pipeline"
	"vesper/storage/postgres"
)

// login is one account of the demo practice, with its password as printed once.
type login struct {
	Role     string `json:"role"`
	Name     string `json:"name"`
	Login    string `json:"login"`
	Password string `json:"password"`
}

const demoPractice = "Northgate Family Medicine (fictional)"

// demoPeople are plainly fictional.
var demoPeople = []pipeline.Person{
	{Role: "physician", Login: "dr.avery", Name: "Robin Avery", Credential: "MD"},
	{Role: "editor", Login: "kim", Name: "Kim Doe", Credential: "VMA"},
	{Role: "editor", Login: "lou", Name: "Lou Sample", Credential: "VMA"},
	{Role: "supervisor", Login: "sam", Name: "Sam Placeholder", Credential: ""},
	{Role: "compliance", Login: "casey", Name: "Casey Example", Credential: ""},
	{Role: "admin", Login: "admin", Name: "Alex Fiction", Credential: ""},
}

// demoPatients are fictional too. The first has the name and the age that the sample dictation says.
func demoPatients(today time.Time) []pipeline.Patient {
	born := today.AddDate(-62, -4, 0).Format(time.DateOnly)
	return []pipeline.Patient{
		{MRN: "DEMO-0001", Name: "Testa Bennett", BirthDate: born, Sex: "female", EHRRef: "Patient/demo-1"},
		{MRN: "DEMO-0002", Name: "Dummy Persona", BirthDate: "1958-09-30", Sex: "male", EHRRef: "Patient/demo-2"},
		{MRN: "DEMO-0003", Name: "Example Madeup", BirthDate: "1990-01-05", Sex: "female", EHRRef: "Patient/demo-3"},
	}
}

// foundPractice creates a practice with its first administrator.
func foundPractice(ctx context.Context, store *postgres.Store, name, loginName, admin, password string) (uuid.UUID, error) {
	hash, err := access.HashPassword(password)
	if err != nil {
		return uuid.Nil, err
	}
	practice, err := practiceFor(ctx, store, name)
	if err != nil {
		return uuid.Nil, err
	}
	return practice, store.InTx(ctx, practice, func(ctx context.Context, tx pipeline.Tx) error {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		if err := workTypes(ctx, tx); err != nil {
			return err
		}
		return addFirst(ctx, tx, pipeline.Person{ID: id, PracticeID: practice, Role: string(access.Admin), Login: loginName, Name: admin}, hash)
	})
}

// practiceFor creates a practice, or takes up the one without people that an interrupted start left behind.
func practiceFor(ctx context.Context, store *postgres.Store, name string) (uuid.UUID, error) {
	practices, err := store.Practices(ctx)
	if err != nil {
		return uuid.Nil, err
	}
	left, exists := practices[name]
	if !exists {
		return store.CreatePractice(ctx, name)
	}
	return left, store.InTx(ctx, left, func(ctx context.Context, tx pipeline.Tx) error {
		people, err := tx.People(ctx, "")
		if err == nil && len(people) > 0 {
			err = fault.New(fault.Conflict, "practice_exists", "There is already a practice of this name.")
		}
		return err
	})
}

// addFirst adds one of the people that a practice begins with; nobody else is there yet, so the record names Vesper.
func addFirst(ctx context.Context, tx pipeline.Tx, p pipeline.Person, hash string) error {
	if err := tx.InsertPerson(ctx, p, hash); err != nil {
		return err
	}
	return tx.Audit(ctx, audit.Event{
		PracticeID: p.PracticeID, ActorRole: string(access.System), Action: string(access.ManagePeople), Subject: "person", SubjectID: p.ID,
		Outcome: "done", Detail: map[string]string{"change": "created", "role": p.Role},
	})
}

func workTypes(ctx context.Context, tx pipeline.Tx) error {
	for _, t := range templates.All() {
		if err := tx.InsertWorkType(ctx, t.Key, t.Name, t.LOINC.Code, t.TurnAround.Routine.Hours()); err != nil {
			return err
		}
	}
	return nil
}

// seedDemo creates the fictional practice on the first start and returns its logins then; later it returns none, because
// they are shown once. They stay in secrets/demo-logins, readable by the owner only. A first start that was cut short is
// taken up where it stopped; secrets/demo-ready says that nothing is left to do.
func seedDemo(rt *runtime, store *postgres.Store, svc *pipeline.Service, dir string) ([]login, error) {
	ready := filepath.Join(dir, "secrets", "demo-ready")
	if _, err := os.Stat(ready); err == nil {
		return nil, nil
	}
	kept := filepath.Join(dir, "secrets", "demo-logins")
	physician, _, err := store.FindLogin(rt.ctx, demoPeople[0].Login)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return nil, err
	}
	if _, gone := os.Stat(kept); err == nil && gone != nil {
		return nil, nil //nolint:nilerr // somebody took the logins away; new ones would open nothing
	}
	logins, lerr := demoLogins(kept)
	if lerr != nil {
		return nil, lerr
	}
	if err != nil {
		if physician, err = createDemo(rt.ctx, store, logins); err != nil {
			return nil, err
		}
	}
	if err := submitSample(rt.ctx, svc, physician); err != nil {
		return nil, err
	}
	return logins, os.WriteFile(ready, nil, 0o600)
}

// demoLogins makes the passwords, or reads those of a first start that was cut short.
func demoLogins(path string) ([]login, error) {
	raw, err := os.ReadFile(path)
	if err == nil {
		var out []login
		return out, json.Unmarshal(raw, &out)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read demo logins: %w", err)
	}
	out := make([]login, len(demoPeople))
	for i, p := range demoPeople {
		out[i] = login{p.Role, p.Name, p.Login, strings.ToLower(rand.Text()[:16])}
	}
	if raw, err = json.MarshalIndent(out, "", "  "); err != nil {
		return nil, err
	}
	// Whole or not at all: half a file would stop every later start.
	if err := os.WriteFile(path+".new", raw, 0o600); err != nil {
		return nil, fmt.Errorf("write demo logins: %w", err)
	}
	return out, os.Rename(path+".new", path)
}

// createDemo writes the practice's people, patients and visits, all or none; an empty practice that an interrupted first
// start left behind is used again.
func createDemo(ctx context.Context, store *postgres.Store, logins []login) (physician pipeline.Person, err error) {
	hashes := make([]string, len(logins))
	for i, l := range logins {
		if hashes[i], err = access.HashPassword(l.Password); err != nil {
			return
		}
	}
	practice, err := practiceFor(ctx, store, demoPractice)
	if err != nil {
		return
	}
	err = store.InTx(ctx, practice, func(ctx context.Context, tx pipeline.Tx) error {
		if err := workTypes(ctx, tx); err != nil {
			return err
		}
		for i, p := range demoPeople {
			p.ID, p.PracticeID = uuid.Must(uuid.NewV7()), practice
			if err := addFirst(ctx, tx, p, hashes[i]); err != nil {
				return err
			}
			if p.Role == string(access.Physician) {
				physician = p
			}
		}
		return demoVisits(ctx, tx, practice, physician.ID)
	})
	return
}

func demoVisits(ctx context.Context, tx pipeline.Tx, practice, author uuid.UUID) error {
	start := time.Now().Truncate(30 * time.Minute)
	for i, p := range demoPatients(time.Now()) {
		p.ID, p.PracticeID = uuid.Must(uuid.NewV7()), practice
		if err := tx.InsertPatient(ctx, p); err != nil {
			return err
		}
		err := tx.InsertEncounter(ctx, pipeline.Encounter{
			ID: uuid.Must(uuid.NewV7()), PracticeID: practice, PatientID: p.ID, AuthorID: author, Starts: start.Add(time.Duration(i) * 30 * time.Minute),
			Title: "Office visit", EHRRef: fmt.Sprintf("Encounter/demo-%d", i+1),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// submitSample sends the sample dictation in, so that something moves when the page opens.
func submitSample(ctx context.Context, svc *pipeline.Service, physician pipeline.Person) error {
	visits, err := svc.Encounters(ctx, physician.Actor(), physician.ID)
	if err != nil || len(visits) == 0 {
		return err
	}
	_, err = svc.Submit(ctx, physician.Actor(), pipeline.Submission{
		ClientKey: "sample", EncounterID: &visits[0].ID, WorkType: sample.WorkType, Priority: pipeline.Routine,
		Filename: sample.Name(), ContentType: sample.ContentType(), Body: bytes.NewReader(sample.Audio()),
	})
	return err
}

func printLogins(rt *runtime, logins []login) {
	if len(logins) == 0 {
		return
	}
	fmt.Fprintf(rt.out, "  Demo logins (shown once; kept in secrets/demo-logins of the data folder):\n")
	for _, l := range logins {
		fmt.Fprintf(rt.out, "    %-11s %-10s %s   (%s)\n", l.Role, l.Login, l.Password, l.Name)
	}
	fmt.Fprintln(rt.out)
}
