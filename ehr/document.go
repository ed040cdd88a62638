package ehr

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"vesper/internal/fault"
)

// PlainText is the content type of a signed note.
const PlainText = "text/plain; charset=utf-8"

// MaxBody is the largest note that is sent, in bytes: 5 MiB, what US Core asks every server to take inline.
const MaxBody = 5 << 20

// Document is one signed version of a note with everything a target needs to file it. It never changes: an addendum or
// a correction is a new Document that relates to the old one. It prints and logs as its identifier only.
type Document struct {
	Identifier  Identifier // the idempotency key: one document per identifier, for ever
	Master      string     // globally unique name of this version: "urn:uuid:…"
	Type        Coding     // LOINC code and display of the work type
	Title       string     // as shown in the chart: "Progress note"
	Patient     Reference
	Encounter   Reference // may be empty: some documents belong to no visit
	Author      Reference // who dictated
	Signer      Reference // who signed
	Custodian   Reference // the organisation that keeps the note; may be empty
	SignedAt    time.Time
	VisitStart  time.Time // start of the visit the note is about; may be zero
	ContentType string    // PlainText
	Body        Text      // exactly the signed bytes
	BodySHA256  string    // of Body, lower-case hex, taken from the signature
	RelatesTo   []Relation
}

// Identifier is a business identifier: System says who gives it out (a URI), Value is unique there ("NOTE-ID/v3").
type Identifier struct{ System, Value string }

// String is the identifier as FHIR searches write it: system|value.
func (i Identifier) String() string { return i.System + "|" + i.Value }

// Coding is a LOINC code with its display text.
type Coding struct{ Code, Display string }

// Reference points at something the EHR knows ("Patient/p1") and names it for people. Either part may be empty.
type Reference struct{ Ref, Display string }

// IsZero says that nothing is referred to.
func (r Reference) IsZero() bool { return r.Ref == "" && r.Display == "" }

// Relation links a document to one already in the EHR.
type Relation struct {
	Code   string // Appends or Replaces
	Target string // Receipt.ID of the other document: "DocumentReference/7"
}

// The relations of a later document to an earlier one.
const (
	Appends  = "appends"  // an addendum; the parent stays as it is
	Replaces = "replaces" // a correction; the parent stays readable as superseded
)

// Text is patient text. It prints and logs as its length only; convert it to []byte to get at the bytes.
type Text []byte

// Format keeps the text out of every fmt verb.
func (t Text) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "[%d bytes withheld]", len(t)) }

// LogValue keeps the text out of logs.
func (t Text) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("[%d bytes withheld]", len(t)))
}

// Format keeps everything but the identifier out of every fmt verb.
func (d Document) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "document %s", d.Identifier) }

// LogValue keeps everything but the identifier out of logs.
func (d Document) LogValue() slog.Value { return slog.StringValue(d.Identifier.String()) }

// SHA256 returns the lower-case hex SHA-256 of a body, the form of Document.BodySHA256.
func SHA256(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Validate checks that the document can be sent at all: what a target needs is there, and the body is the signed one.
// It returns a fault of kind Invalid that names the field, never its content.
func (d Document) Validate() error {
	checks := []struct {
		ok    bool
		field string
	}{
		{isIdentifier(d.Identifier), "identifier"},
		{strings.HasPrefix(d.Master, "urn:uuid:") && len(d.Master) == len("urn:uuid:")+36, "master identifier"},
		{d.Type.Code != "", "type"},
		{d.Patient.Ref != "", "patient"},
		{!d.Author.IsZero(), "author"},
		{!d.Signer.IsZero(), "signer"},
		{!d.SignedAt.IsZero(), "signing time"},
		{d.ContentType == PlainText, "content type"},
		{len(d.Body) > 0 && len(d.Body) <= MaxBody && utf8.Valid(d.Body), "body"},
		{d.BodySHA256 == SHA256(d.Body), "body hash"},
		{relationsOK(d.RelatesTo), "relation"},
	}
	for _, c := range checks {
		if !c.ok {
			return fault.New(fault.Invalid, "ehr_document_invalid", "This note cannot be sent to the EHR: its "+c.field+
				" is missing or wrong. Ask an administrator to look at the delivery.")
		}
	}
	return nil
}

// isIdentifier keeps out what a search cannot say unambiguously: '|' parts system and value, ',' and '$' and '\' are
// FHIR's own separators.
func isIdentifier(i Identifier) bool {
	ok := func(s string) bool {
		return s != "" && len(s) <= 255 && !strings.ContainsAny(s, "|,$\\ \t\r\n") && utf8.ValidString(s)
	}
	return ok(i.System) && ok(i.Value) && strings.Contains(i.System, ":")
}

func relationsOK(rs []Relation) bool {
	for _, r := range rs {
		if (r.Code != Appends && r.Code != Replaces) || r.Target == "" {
			return false
		}
	}
	return true
}
