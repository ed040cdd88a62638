// Package ehrtest is the conformance suite of ehr.Target: every adapter passes it against a real server.
package ehrtest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/ehr"
	"vesper/internal/fault"
)

// Canary is a made-up word that stands in every test note and patient name, and must never appear in an error.
const Canary = "Quastelwort"

// Fixture is one fresh target and what the suite must know about the server behind it.
type Fixture struct {
	Target ehr.Target
	// Stored counts the documents that really stand in the server under an identifier.
	Stored func(ehr.Identifier) int
	// Stop makes the server unreachable for good; the suite calls it in one test, last.
	Stop func()
}

// Document returns a complete, valid document of a plainly fictional patient.
func Document(value string) ehr.Document {
	body := []byte("PROGRESS NOTE\n\nPatient: " + Canary + " Testperson\nLisinopril 10 mg daily. BP 128/76. 37 °C.\n\n" +
		"Electronically signed by Fictional Physician, MD\n")
	return ehr.Document{
		Identifier:  ehr.Identifier{System: "https://vesper.example.org/note-version", Value: value},
		Master:      "urn:uuid:" + uuid.NewSHA1(uuid.NameSpaceURL, []byte(value)).String(),
		Type:        ehr.Coding{Code: "11506-3", Display: "Progress note"},
		Title:       "Progress note",
		Patient:     ehr.Reference{Ref: "Patient/p1", Display: Canary + " Testperson"},
		Encounter:   ehr.Reference{Ref: "Encounter/e1"},
		Author:      ehr.Reference{Ref: "Practitioner/dr1", Display: "Fictional Physician, MD"},
		Signer:      ehr.Reference{Ref: "Practitioner/dr1", Display: "Fictional Physician, MD"},
		Custodian:   ehr.Reference{Display: "Fictional Family Practice"},
		SignedAt:    time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC),
		VisitStart:  time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC),
		ContentType: ehr.PlainText,
		Body:        body,
		BodySHA256:  ehr.SHA256(body),
	}
}

// Run runs the suite. open is called once per test.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	t.Helper()
	tests := []struct {
		name string
		run  func(*testing.T, Fixture)
	}{
		{"ADeliveredDocumentReadsBackAsSigned", readsBack},
		{"DeliveringTwiceMakesOneDocument", twice},
		{"ParallelDeliveriesMakeOneDocument", parallel},
		{"AnotherVersionIsAnotherDocument", versions},
		{"AnAddendumPointsAtItsParent", addendum},
		{"AnInvalidDocumentIsRefusedUnsent", invalid},
		{"ADocumentThatIsNotThereIsNotFound", absent},
		{"ALargeNoteSurvives", large},
		{"AServerThatIsAwayIsUnavailableAndSaysNothing", away},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(t, open(t))
		})
	}
}

func send(t *testing.T, f Fixture, d ehr.Document) ehr.Receipt {
	t.Helper()
	r, _, err := ehr.Send(t.Context(), f.Target, d)
	if err != nil {
		t.Fatalf("send %v: %v", d, err)
	}
	if r.ID == "" || r.Target != f.Target.Name() || r.At.IsZero() {
		t.Fatalf("incomplete receipt %+v", r)
	}
	return r
}

func one(t *testing.T, f Fixture, d ehr.Document) {
	t.Helper()
	if n := f.Stored(d.Identifier); n != 1 {
		t.Fatalf("%d documents stored under %s, want 1", n, d.Identifier)
	}
}

func readsBack(t *testing.T, f Fixture) {
	d := Document("note-1/v1")
	if r := send(t, f, d); r.Outcome != ehr.Created {
		t.Fatalf("outcome %q, want created", r.Outcome)
	}
	one(t, f, d)
}

func twice(t *testing.T, f Fixture) {
	d := Document("note-2/v1")
	first, second := send(t, f, d), send(t, f, d)
	if first.ID != second.ID || second.Outcome == ehr.Created {
		t.Fatalf("first %+v, second %+v", first, second)
	}
	one(t, f, d)
}

func parallel(t *testing.T, f Fixture) {
	d := Document("note-3/v1")
	const n = 20
	ids, errs := make([]string, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			r, err := f.Target.Deliver(t.Context(), d)
			ids[i], errs[i] = r.ID, err
		})
	}
	wg.Wait()
	for i := range n {
		if errs[i] != nil || ids[i] != ids[0] {
			t.Errorf("delivery %d: id %q, want %q, error %v", i, ids[i], ids[0], errs[i])
		}
	}
	one(t, f, d)
}

func versions(t *testing.T, f Fixture) {
	if a, b := send(t, f, Document("note-4/v1")), send(t, f, Document("note-4/v2")); a.ID == b.ID {
		t.Fatal("two versions share one document")
	}
}

func addendum(t *testing.T, f Fixture) {
	parent := send(t, f, Document("note-5/v1"))
	d := Document("note-6/v1")
	d.RelatesTo = []ehr.Relation{{Code: ehr.Appends, Target: parent.ID}}
	r := send(t, f, d)
	c, err := f.Target.ReadBack(t.Context(), r)
	if err != nil || len(c.RelatesTo) != 1 || c.RelatesTo[0].Target != parent.ID || c.DocStatus != "final" {
		t.Fatalf("relation %+v, error %v", c.RelatesTo, err)
	}
}

func invalid(t *testing.T, f Fixture) {
	d := Document("note-7/v1")
	d.Body = append(d.Body, "unsigned words"...)
	_, err := f.Target.Deliver(t.Context(), d)
	refuse(t, err, fault.Invalid)
	if n := f.Stored(d.Identifier); n != 0 {
		t.Fatalf("%d documents stored of an unsigned body", n)
	}
}

func absent(t *testing.T, f Fixture) {
	r := send(t, f, Document("note-8/v1"))
	r.ID += "-gone"
	_, err := f.Target.ReadBack(t.Context(), r)
	refuse(t, err, fault.NotFound)
}

func large(t *testing.T, f Fixture) {
	d := Document("note-9/v1")
	line := "Ünïcode and 37 °C, line by line.\r\n"
	d.Body = []byte(strings.Repeat(line, (ehr.MaxBody-1)/len(line)))
	d.BodySHA256 = ehr.SHA256(d.Body)
	send(t, f, d)
	one(t, f, d)
}

func away(t *testing.T, f Fixture) {
	r := send(t, f, Document("note-10/v1"))
	f.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := f.Target.Deliver(ctx, Document("note-11/v1"))
	refuse(t, err, fault.Unavailable)
	_, err = f.Target.ReadBack(ctx, r)
	refuse(t, err, fault.Unavailable)
}

// refuse checks the kind of a fault, and that neither of its faces shows patient text.
func refuse(t *testing.T, err error, want fault.Kind) {
	t.Helper()
	if fault.KindOf(err) != want {
		t.Fatalf("error %v is of kind %q, want %q", err, fault.KindOf(err), want)
	}
	if all := fmt.Sprintf("%v %+v %s", err, err, fault.As(err).Public); strings.Contains(all, Canary) {
		t.Fatalf("the error shows patient text: %s", all)
	}
}
