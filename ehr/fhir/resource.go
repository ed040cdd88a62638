package fhir

import (
	"crypto/sha1" //nolint:gosec // FHIR R4 defines attachment.hash as SHA-1; the proof is the byte comparison
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"vesper/ehr"
)

// The code systems and names used on the wire.
const (
	loincSystem    = "http://loinc.org"
	categorySystem = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"
	uriSystem      = "urn:ietf:rfc:3986" // identifier system of identifiers that are URIs
	// SHA256Extension names the extension of attachment.hash's neighbour that carries the SHA-256 of the body in hex,
	// because R4's own hash is SHA-1. The URL is a name, not an address.
	SHA256Extension = "https://vesper.example.org/fhir/StructureDefinition/attachment-sha256"
)

// The types below are the part of FHIR R4 that a note needs, in the specification's own order and words.

type documentReference struct {
	ResourceType     string            `json:"resourceType"`
	ID               string            `json:"id,omitempty"`
	Meta             *meta             `json:"meta,omitempty"`
	MasterIdentifier *identifier       `json:"masterIdentifier,omitempty"`
	Identifier       []identifier      `json:"identifier,omitempty"`
	Status           string            `json:"status"`
	DocStatus        string            `json:"docStatus,omitempty"`
	Type             *codeableConcept  `json:"type,omitempty"`
	Category         []codeableConcept `json:"category,omitempty"`
	Subject          *reference        `json:"subject,omitempty"`
	Date             string            `json:"date,omitempty"`
	Author           []reference       `json:"author,omitempty"`
	Authenticator    *reference        `json:"authenticator,omitempty"`
	Custodian        *reference        `json:"custodian,omitempty"`
	RelatesTo        []relatesTo       `json:"relatesTo,omitempty"`
	Content          []content         `json:"content"`
	Context          *docContext       `json:"context,omitempty"`
}

type meta struct {
	VersionID string `json:"versionId,omitempty"`
}

type identifier struct {
	System string `json:"system,omitempty"`
	Value  string `json:"value,omitempty"`
}

type codeableConcept struct {
	Coding []coding `json:"coding,omitempty"`
	Text   string   `json:"text,omitempty"`
}

type coding struct {
	System  string `json:"system,omitempty"`
	Code    string `json:"code,omitempty"`
	Display string `json:"display,omitempty"`
}

type reference struct {
	Reference string `json:"reference,omitempty"`
	Display   string `json:"display,omitempty"`
}

type relatesTo struct {
	Code   string    `json:"code"`
	Target reference `json:"target"`
}

type content struct {
	Attachment attachment `json:"attachment"`
}

type attachment struct {
	Extension   []extension `json:"extension,omitempty"`
	ContentType string      `json:"contentType,omitempty"`
	Data        string      `json:"data,omitempty"`
	URL         string      `json:"url,omitempty"`
	Size        int64       `json:"size,omitempty"`
	Hash        string      `json:"hash,omitempty"`
	Title       string      `json:"title,omitempty"`
	Creation    string      `json:"creation,omitempty"`
}

type extension struct {
	URL         string `json:"url"`
	ValueString string `json:"valueString,omitempty"`
}

type docContext struct {
	Encounter []reference `json:"encounter,omitempty"`
	Period    *period     `json:"period,omitempty"`
}

type period struct {
	Start string `json:"start,omitempty"`
}

// encode writes a document as a DocumentReference. date is when the note was signed, because R4 has no authored date
// and the instant of the reference would change with every attempt.
func encode(d ehr.Document) ([]byte, error) {
	at := instant(d.SignedAt)
	sum := sha1.Sum(d.Body) //nolint:gosec // see above
	r := documentReference{
		ResourceType:     "DocumentReference",
		MasterIdentifier: &identifier{System: uriSystem, Value: d.Master},
		Identifier:       []identifier{{System: d.Identifier.System, Value: d.Identifier.Value}},
		Status:           "current",
		DocStatus:        ehr.DocStatus(d),
		Type:             &codeableConcept{Coding: []coding{{loincSystem, d.Type.Code, d.Type.Display}}, Text: d.Type.Display},
		Category: []codeableConcept{{
			Coding: []coding{{categorySystem, "clinical-note", "Clinical Note"}},
			Text:   "Clinical Note",
		}},
		Subject:       toReference(d.Patient),
		Date:          at,
		Author:        []reference{{d.Author.Ref, d.Author.Display}},
		Authenticator: toReference(d.Signer),
		Custodian:     toReference(d.Custodian),
		Content: []content{{Attachment: attachment{
			Extension:   []extension{{SHA256Extension, d.BodySHA256}},
			ContentType: d.ContentType,
			Data:        base64.StdEncoding.EncodeToString(d.Body),
			Size:        int64(len(d.Body)),
			Hash:        base64.StdEncoding.EncodeToString(sum[:]),
			Title:       d.Title,
			Creation:    at,
		}}},
		Context: toContext(d),
	}
	for _, rel := range d.RelatesTo {
		r.RelatesTo = append(r.RelatesTo, relatesTo{rel.Code, reference{Reference: rel.Target}})
	}
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode DocumentReference: %w", err)
	}
	return body, nil
}

func toReference(r ehr.Reference) *reference {
	if r.IsZero() {
		return nil
	}
	return &reference{r.Ref, r.Display}
}

func toContext(d ehr.Document) *docContext {
	var c docContext
	if !d.Encounter.IsZero() {
		c.Encounter = []reference{{d.Encounter.Ref, d.Encounter.Display}}
	}
	if !d.VisitStart.IsZero() {
		c.Period = &period{Start: instant(d.VisitStart)}
	}
	if c.Encounter == nil && c.Period == nil {
		return nil
	}
	return &c
}

// instant is FHIR's form of a time, always with a zone: some EHRs refuse dates without one.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
