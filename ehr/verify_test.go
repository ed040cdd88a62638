package ehr_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vesper/ehr"
	"vesper/ehr/ehrtest"
	"vesper/internal/fault"
)

func copyOf(d ehr.Document) ehr.Copy {
	return ehr.Copy{
		ID: "DocumentReference/7", VersionID: "1", Identifiers: []ehr.Identifier{d.Identifier}, Status: "current",
		DocStatus: ehr.DocStatus(d), Subject: d.Patient.Ref, Encounters: []string{d.Encounter.Ref},
		ContentType: "text/plain;charset=UTF-8", Body: append(ehr.Text(nil), d.Body...),
		BodySHA256: ehr.SHA256(d.Body), RelatesTo: d.RelatesTo,
	}
}

func TestVerifyAcceptsAFaithfulCopy(t *testing.T) {
	t.Parallel()
	d := ehrtest.Document("note-1/v1")
	if err := ehr.Verify(d, copyOf(d)); err != nil {
		t.Fatal(err)
	}
	c := copyOf(d)
	c.Subject += "/_history/4"
	c.Identifiers = nil // some EHRs drop it
	if err := ehr.Verify(d, c); err != nil {
		t.Fatal(err)
	}
}

func TestVerifyNamesWhatDiffersAndNotItsContent(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*ehr.Copy){
		"patient":         func(c *ehr.Copy) { c.Subject = "Patient/somebody-else" },
		"encounter":       func(c *ehr.Copy) { c.Encounters = nil },
		"identifier":      func(c *ehr.Copy) { c.Identifiers[0].Value = "note-2/v1" },
		"status":          func(c *ehr.Copy) { c.Status = "entered-in-error" },
		"document status": func(c *ehr.Copy) { c.DocStatus = "preliminary" },
		"content type":    func(c *ehr.Copy) { c.ContentType = "text/html" },
		"relation":        func(c *ehr.Copy) { c.RelatesTo = nil },
		"body":            func(c *ehr.Copy) { c.Body = append(c.Body, '\n') },
	}
	for field, spoil := range cases {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			d := ehrtest.Document("note-1/v2")
			d.RelatesTo = []ehr.Relation{{Code: ehr.Appends, Target: "DocumentReference/1"}}
			c := copyOf(d)
			spoil(&c)
			err := ehr.Verify(d, c)
			var m *ehr.Mismatch
			if !errors.As(err, &m) || len(m.Fields) != 1 || m.Fields[0] != field {
				t.Fatalf("want a mismatch in %q, got %v", field, err)
			}
			if f := fault.As(err); f.Kind != fault.Conflict || f.Code != ehr.CodeDiffers || !ehr.NeedsPerson(err) {
				t.Fatalf("want %s to a person, got %v", ehr.CodeDiffers, f)
			}
		})
	}
}

func TestAbsoluteReferenceToAnotherServerIsAnotherPatient(t *testing.T) {
	t.Parallel()
	d := ehrtest.Document("note-1/v3")
	c := copyOf(d)
	c.Subject = "https://elsewhere.example/fhir/" + d.Patient.Ref
	if ehr.Verify(d, c) == nil {
		t.Fatal("a patient of another server passed as ours")
	}
}

// Any single changed, missing or added byte must be found.
func TestVerifyFindsEveryAlteredByte(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := ehrtest.Document("note-1/v1")
		d.Body = []byte(rapid.StringN(1, 400, 2000).Draw(t, "body"))
		d.BodySHA256 = ehr.SHA256(d.Body)
		c := copyOf(d)
		at := rapid.IntRange(0, len(c.Body)-1).Draw(t, "at")
		c.Body[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		if ehr.Verify(d, c) == nil {
			t.Fatalf("byte %d of %d altered unseen", at, len(c.Body))
		}
	})
}

func TestValidateRefusesWhatCannotBeSent(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*ehr.Document){
		"no identifier":        func(d *ehr.Document) { d.Identifier.Value = "" },
		"separator in the key": func(d *ehr.Document) { d.Identifier.Value = "note|1" },
		"no master identifier": func(d *ehr.Document) { d.Master = "urn:uuid:1" },
		"no patient":           func(d *ehr.Document) { d.Patient = ehr.Reference{Display: "Somebody"} },
		"no signer":            func(d *ehr.Document) { d.Signer = ehr.Reference{} },
		"empty body":           func(d *ehr.Document) { d.Body, d.BodySHA256 = nil, ehr.SHA256(nil) },
		"body of other hash":   func(d *ehr.Document) { d.Body = append(d.Body, ' ') },
		"body not UTF-8":       func(d *ehr.Document) { d.Body = ehr.Text{0xff}; d.BodySHA256 = ehr.SHA256(d.Body) },
		"body too large": func(d *ehr.Document) {
			d.Body = make(ehr.Text, ehr.MaxBody+1)
			d.BodySHA256 = ehr.SHA256(d.Body)
		},
		"unknown relation": func(d *ehr.Document) { d.RelatesTo = []ehr.Relation{{Code: "transforms", Target: "x"}} },
	}
	if err := ehrtest.Document("note-1/v1").Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := ehrtest.Document("note-1/v1")
			spoil(&d)
			if fault.KindOf(d.Validate()) != fault.Invalid {
				t.Fatal("was accepted")
			}
		})
	}
}

func TestPatientTextDoesNotPrint(t *testing.T) {
	t.Parallel()
	d := ehrtest.Document("note-1/v1")
	c := copyOf(d)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		for _, v := range []any{d, &d, d.Body, c, &c, []ehr.Document{d}} {
			out := fmt.Sprintf(verb, v)
			if strings.Contains(out, ehrtest.Canary) || strings.Contains(out, fmt.Sprintf("%x", ehrtest.Canary)) {
				t.Errorf("%s of %T prints the note", verb, v)
			}
		}
	}
}
