package notes

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/gowebpki/jcs"

	"vesper/internal/fault"
)

// Person is an author or signer as printed.
type Person struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Credential string `json:"credential"`
}

// printed is the name with the credential.
func (p Person) printed() string {
	if p.Credential == "" {
		return p.Name
	}
	return p.Name + ", " + p.Credential
}

// PatientRef names the patient of a note.
type PatientRef struct {
	ID  string `json:"id"`
	MRN string `json:"mrn"`
}

// SigningStatement is what a signature covers: the context, the sections, and the exact text that goes to the EHR.
type SigningStatement struct {
	NoteID       string          `json:"note_id"`
	Version      int             `json:"version"`
	PracticeID   string          `json:"practice_id"`
	DictationID  string          `json:"dictation_id"`
	Patient      PatientRef      `json:"patient"`
	EncounterID  string          `json:"encounter_id"`
	WorkType     string          `json:"work_type"`
	Title        string          `json:"title"`
	LOINC        string          `json:"loinc"`
	Author       Person          `json:"author"`
	Signer       Person          `json:"signer"`
	SignedAt     time.Time       `json:"signed_at"` // UTC, whole seconds
	Meaning      string          `json:"meaning"`
	ParentNoteID string          `json:"parent_note_id,omitempty"` // set for an addendum
	Sections     []SectionOutput `json:"sections"`
	Text         string          `json:"text"`
	TextSHA256   string          `json:"text_sha256"`
}

// sha256Hex is the digest of text in hex.
func sha256Hex(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Canonical completes the statement with the document's sections and the exact text for the EHR, and returns its RFC 8785
// bytes, which are what a signature covers. The same statement and document always give the same bytes.
func Canonical(st SigningStatement, d Document) ([]byte, SigningStatement, error) {
	if strings.TrimSpace(st.Signer.Name) == "" || st.Meaning == "" || st.SignedAt.IsZero() {
		return nil, st, fault.New(fault.Invalid, "signature_incomplete",
			"A signature needs the signer's printed name, the time and its meaning.")
	}
	st.SignedAt = st.SignedAt.UTC().Truncate(time.Second)
	st.Sections = nil
	for _, s := range sectionOutputs(d) {
		if s.Text = strings.TrimSpace(NormalizeText(s.Text)); s.Text != "" {
			st.Sections = append(st.Sections, s)
		}
	}
	if len(st.Sections) == 0 {
		return nil, st, fault.New(fault.Invalid, "note_empty", "The note has no text. Write it before signing.")
	}
	st.Text = signedText(st, d)
	st.TextSHA256 = sha256Hex([]byte(st.Text))
	plain, err := json.Marshal(st)
	if err != nil {
		return nil, st, fmt.Errorf("encode signing statement: %w", err)
	}
	canonical, err := jcs.Transform(plain)
	if err != nil {
		return nil, st, fmt.Errorf("canonicalise signing statement: %w", err)
	}
	return canonical, st, nil
}

// signedText is the document with its title before and its signature block after it.
func signedText(st SigningStatement, d Document) string {
	var b strings.Builder
	if st.Title != "" {
		b.WriteString(st.Title)
		if st.ParentNoteID != "" {
			b.WriteString(" (addendum)")
		}
		b.WriteString("\n\n")
	}
	if st.ParentNoteID != "" {
		b.WriteString("ADDENDUM to note " + st.ParentNoteID + "\n\n")
	}
	b.WriteString(Text(d))
	b.WriteString("\n")
	if st.Author.Name != "" && st.Author.ID != st.Signer.ID {
		b.WriteString("Dictated by " + st.Author.printed() + "\n")
	}
	fmt.Fprintf(&b, "Electronically signed by %s\n%s UTC\nMeaning: %s\n",
		st.Signer.printed(), st.SignedAt.Format("2006-01-02 15:04:05"), st.Meaning)
	return NormalizeText(b.String())
}

// ContentHash identifies what a reader of this version saw: headings, text, blanks, and the flags with their state. A
// signature is refused when the hash is no longer the one that was seen.
func ContentHash(d Document) string {
	type seenFlag struct {
		ID      string `json:"id"`
		Settled bool   `json:"settled"`
	}
	seen := struct {
		WorkType string          `json:"work_type"`
		Sections []SectionOutput `json:"sections"`
		Blanks   []Blank         `json:"blanks"`
		Flags    []seenFlag      `json:"flags"`
	}{WorkType: d.WorkType, Sections: sectionOutputs(d), Blanks: append([]Blank{}, d.Blanks...), Flags: []seenFlag{}}
	for _, f := range d.Flags {
		seen.Flags = append(seen.Flags, seenFlag{f.ID, f.Settled != nil})
	}
	plain, err := json.Marshal(seen)
	if err != nil { // only unsupported floats can fail, and times in a recording are finite
		return sha256Hex([]byte(Text(d)))
	}
	canonical, err := jcs.Transform(plain)
	if err != nil {
		canonical = plain
	}
	return sha256Hex(canonical)
}

// AddendumDocument is the body of an addendum: text that a person wrote to be added to a signed note.
func AddendumDocument(workType, text, by string, at time.Time) (Document, error) {
	text = strings.TrimSpace(NormalizeText(text))
	if text == "" {
		return Document{}, fault.New(fault.Invalid, "addendum_empty", "The addendum has no text. Write what is to be added.")
	}
	at = at.UTC()
	return withFollowUps(Document{
		WorkType: workType,
		Sections: []Section{{
			Key: "addendum", Heading: "Addendum", Required: true,
			Runs: []Run{{Text: text, Source: Source{Kind: FromPerson, By: by, At: &at}}},
		}},
		Blanks: []Blank{}, Flags: []Flag{},
	}, at.Local()), nil
}
