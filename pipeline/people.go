package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
)

// Login checks a login and password. It takes the same time whether the login exists or not; the attempt is recorded.
func (s *Service) Login(ctx context.Context, login, password string) (Person, error) {
	p, hash, err := s.Store.FindLogin(ctx, strings.TrimSpace(login))
	if err != nil && !isNotFound(err) {
		return Person{}, err
	}
	good := access.CheckPassword(hash, password) && !p.Disabled
	if p.ID != uuid.Nil {
		outcome := "refused"
		if good {
			outcome = "done"
		}
		err := s.Store.InTx(ctx, p.PracticeID, func(ctx context.Context, tx Tx) error {
			return tx.Audit(ctx, event(p.Actor(), "session.open", "person", p.ID, outcome, nil))
		})
		if err != nil {
			return Person{}, err
		}
	}
	if !good {
		return Person{}, fault.New(fault.Unauthenticated, "login_wrong", "Login or password is not right.")
	}
	return p, nil
}

// Logout records the end of a session.
func (s *Service) Logout(ctx context.Context, actor access.Actor) error {
	return s.Store.InTx(ctx, actor.PracticeID, func(ctx context.Context, tx Tx) error {
		return tx.Audit(ctx, event(actor, "session.close", "person", actor.ID, "done", nil))
	})
}

// Actor is the person as one who acts.
func (p Person) Actor() access.Actor {
	return access.Actor{ID: p.ID, PracticeID: p.PracticeID, Role: access.Role(p.Role), Name: p.Name, Credential: p.Credential}
}

// Person reads an account, for sessions.
func (s *Service) Person(ctx context.Context, practice, id uuid.UUID) (Person, error) {
	var out Person
	err := s.Store.InTx(ctx, practice, func(ctx context.Context, tx Tx) (err error) {
		out, err = tx.Person(ctx, id)
		return err
	})
	return out, err
}

// People lists the practice's accounts. Everyone may see names of colleagues by role; only admins see all of it.
func (s *Service) People(ctx context.Context, actor access.Actor, role string) ([]Person, error) {
	var out []Person
	err := s.Store.InTx(ctx, actor.PracticeID, func(ctx context.Context, tx Tx) (err error) {
		out, err = tx.People(ctx, role)
		return err
	})
	if actor.Role != access.Admin {
		out = slices.DeleteFunc(out, func(p Person) bool { return p.Disabled })
		for i := range out {
			out[i].Login, out[i].EHRRef = "", ""
		}
	}
	return out, err
}

// AddPerson creates an account.
func (s *Service) AddPerson(ctx context.Context, actor access.Actor, p Person, password string) (uuid.UUID, error) {
	if err := s.mayManage(ctx, actor); err != nil {
		return uuid.Nil, err
	}
	if !slices.Contains(access.Roles(), access.Role(p.Role)) || strings.TrimSpace(p.Name) == "" || strings.TrimSpace(p.Login) == "" {
		return uuid.Nil, fault.New(fault.Invalid, "person_incomplete", "Give a name, a login and one of the roles physician, editor, supervisor, compliance, admin.")
	}
	if p.EHRRef != "" && !practitioner.MatchString(p.EHRRef) {
		return uuid.Nil, fault.New(fault.Invalid, "ehr_ref_invalid", "Write the person's reference in the EHR as Practitioner/ID or PractitionerRole/ID, or leave it out.")
	}
	hash, err := access.HashPassword(password)
	if err != nil {
		return uuid.Nil, err
	}
	p.PracticeID = actor.PracticeID
	if p.ID, err = uuid.NewV7(); err != nil {
		return uuid.Nil, err
	}
	err = s.inTx(ctx, actor, access.ManagePeople, p.ID, func(ctx context.Context, tx Tx) error {
		if err := tx.InsertPerson(ctx, p, hash); err != nil {
			return err
		}
		return tx.Audit(ctx, event(actor, access.ManagePeople, "person", p.ID, "done", map[string]string{"change": "created", "role": p.Role}))
	})
	return p.ID, err
}

// practitioner is how an EHR refers to the people who write notes: a FHIR resource type and id.
var practitioner = regexp.MustCompile(`^Practitioner(Role)?/[A-Za-z0-9.-]{1,64}$`)

// mayManage decides before any input is looked at, and records a refusal.
func (s *Service) mayManage(ctx context.Context, actor access.Actor) error {
	return s.inTx(ctx, actor, access.ManagePeople, actor.ID, func(context.Context, Tx) error {
		return access.Decide(actor, access.ManagePeople, access.Resource{PracticeID: actor.PracticeID})
	})
}

// SetPersonDisabled closes or reopens an account. Nobody closes the own one, so that an admin is always left.
func (s *Service) SetPersonDisabled(ctx context.Context, actor access.Actor, id uuid.UUID, disabled bool) error {
	if id == actor.ID {
		return fault.New(fault.Invalid, "own_account", "You cannot disable your own account.")
	}
	return s.inTx(ctx, actor, access.ManagePeople, id, func(ctx context.Context, tx Tx) error {
		if err := access.Decide(actor, access.ManagePeople, access.Resource{PracticeID: actor.PracticeID}); err != nil {
			return err
		}
		if err := tx.SetPersonDisabled(ctx, id, disabled); err != nil {
			return err
		}
		return tx.Audit(ctx, event(actor, access.ManagePeople, "person", id, "done", map[string]string{"disabled": strconv.FormatBool(disabled)}))
	})
}

// seesPatients are the roles that choose patients: those who dictate, edit or oversee.
func seesPatients(a access.Actor) error {
	switch a.Role {
	case access.Physician, access.Editor, access.Supervisor, access.Compliance:
		return nil
	default:
		return fault.New(fault.Forbidden, "forbidden", "Your role does not allow this. Ask a supervisor of your practice.")
	}
}

// Patients searches the practice's patients by name or record number; the search is an event, its words are not kept.
func (s *Service) Patients(ctx context.Context, actor access.Actor, search string) ([]Patient, error) {
	var out []Patient
	err := s.inTx(ctx, actor, "patient.search", uuid.Nil, func(ctx context.Context, tx Tx) (err error) {
		if err := seesPatients(actor); err != nil {
			return err
		}
		if out, err = tx.Patients(ctx, search, 20); err != nil {
			return err
		}
		return tx.Audit(ctx, event(actor, "patient.search", "practice", actor.PracticeID, "done", map[string]string{"found": itoa(len(out))}))
	})
	return out, err
}

// Encounters lists a physician's visits from the start of yesterday on.
func (s *Service) Encounters(ctx context.Context, actor access.Actor, author uuid.UUID) ([]Encounter, error) {
	var out []Encounter
	err := s.inTx(ctx, actor, "encounter.list", author, func(ctx context.Context, tx Tx) (err error) {
		if err := seesPatients(actor); err != nil {
			return err
		}
		if actor.Role == access.Physician && author != actor.ID {
			return fault.New(fault.Forbidden, "forbidden", "You can list your own visits only.")
		}
		if out, err = tx.Encounters(ctx, author, s.Now().Add(-36*time.Hour), 50); err != nil {
			return err
		}
		return tx.Audit(ctx, event(actor, "encounter.list", "person", author, "done", map[string]string{"found": itoa(len(out))}))
	})
	return out, err
}

func itoa(n int) string { return strconv.Itoa(n) }

// SHA256 is the lower-case hex SHA-256 of some bytes, the form in which hashes are kept and compared everywhere.
func SHA256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
