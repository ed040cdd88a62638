package ehr

import (
	"bytes"
	"fmt"
	"strings"

	"vesper/internal/fault"
)

// CodeDiffers is the code of Verify's fault.
const CodeDiffers = "ehr_copy_differs"

// Mismatch is the private cause of a failed Verify: the names of the fields that differ, never their content.
type Mismatch struct{ Fields []string }

// Error names the fields.
func (m *Mismatch) Error() string { return "read-back differs in " + strings.Join(m.Fields, ", ") }

// Verify compares what stands in the EHR with what was signed: the same bytes, on the same patient and visit, under our
// identifier, in force. Anything else is a fault of kind Conflict ("ehr_copy_differs") for a person to settle; its
// cause is a *Mismatch.
//
// A missing identifier is tolerated when the copy carries none at all, because some EHRs drop it; the receipt's id then
// stands in. A missing encounter is not: the note would hang outside the visit.
func Verify(doc Document, c Copy) error {
	var bad []string
	note := func(differs bool, field string) {
		if differs {
			bad = append(bad, field)
		}
	}
	note(!bytes.Equal(doc.Body, c.Body) || SHA256(c.Body) != doc.BodySHA256, "body")
	note(!sameReference(doc.Patient.Ref, c.Subject), "patient")
	note(doc.Encounter.Ref != "" && !refersTo(c.Encounters, doc.Encounter.Ref), "encounter")
	note(len(c.Identifiers) > 0 && !hasIdentifier(c.Identifiers, doc.Identifier), "identifier")
	note(c.Status != "current", "status")
	note(c.DocStatus != "" && c.DocStatus != DocStatus(doc), "document status")
	note(mediaType(c.ContentType) != mediaType(doc.ContentType), "content type")
	note(!relationsKept(doc.RelatesTo, c.RelatesTo), "relation")
	if len(bad) == 0 {
		return nil
	}
	return fault.Wrap(fmt.Errorf("verify %s: %w", doc.Identifier, &Mismatch{Fields: bad}), fault.Conflict, CodeDiffers,
		"What stands in the EHR is not what was signed ("+strings.Join(bad, ", ")+"). Compare both and correct the EHR.")
}

// DocStatus is the FHIR composition status the document is sent with: "amended" for a replacement, else "final".
func DocStatus(d Document) string {
	for _, r := range d.RelatesTo {
		if r.Code == Replaces {
			return "amended"
		}
	}
	return "final"
}

// sameReference compares two references relative to the target; a version in one of them does not matter. An absolute
// URL that is left in the copy points at another server and is not the same.
func sameReference(want, got string) bool { return want != "" && unversioned(want) == unversioned(got) }

func unversioned(ref string) string {
	ref, _, _ = strings.Cut(ref, "/_history/")
	return ref
}

func refersTo(refs []string, want string) bool {
	for _, r := range refs {
		if sameReference(want, r) {
			return true
		}
	}
	return false
}

func hasIdentifier(ids []Identifier, want Identifier) bool {
	for _, i := range ids {
		if i == want {
			return true
		}
	}
	return false
}

// relationsKept: every relation we sent must stand there; the EHR may add its own.
func relationsKept(want, got []Relation) bool {
	for _, w := range want {
		kept := false
		for _, g := range got {
			kept = kept || (g.Code == w.Code && sameReference(w.Target, g.Target))
		}
		if !kept {
			return false
		}
	}
	return true
}

// mediaType drops parameters: an EHR may write "text/plain;charset=UTF-8" for ours.
func mediaType(contentType string) string {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(t))
}
