package web

import (
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/notes"
	"vesper/pipeline"
	"vesper/transcribe"
)

type patient struct {
	ID        uuid.UUID `json:"id"`
	MRN       string    `json:"mrn"`
	Name      string    `json:"name"`
	BirthDate string    `json:"birth_date"`
	Sex       string    `json:"sex"`
}

type encounter struct {
	ID        uuid.UUID `json:"id"`
	PatientID uuid.UUID `json:"patient_id"`
	AuthorID  uuid.UUID `json:"author_id"`
	Starts    time.Time `json:"starts"`
	Title     string    `json:"title"`

	PatientName string `json:"patient_name"`
	MRN         string `json:"mrn"`
}

type noteRef struct {
	ID     uuid.UUID `json:"id"`
	Latest int       `json:"latest" doc:"Number of the newest version"`
}

type version struct {
	Number      int                  `json:"number"`
	Kind        pipeline.VersionKind `json:"kind" enum:"draft,edit,addendum"`
	By          optional[personRef]  `json:"by" doc:"Null for the engine's draft"`
	At          time.Time            `json:"at"`
	ContentHash string               `json:"content_hash"`
	Document    notes.Document       `json:"document"`
}

type claim struct {
	Person personRef `json:"person"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until" doc:"The claim ends then unless it is renewed by claiming again"`
}

type signature struct {
	ID              uuid.UUID `json:"id"`
	Version         int       `json:"version"`
	Signer          string    `json:"signer"`
	Credential      string    `json:"credential"`
	Meaning         string    `json:"meaning"`
	SignedAt        time.Time `json:"signed_at"`
	CanonicalSHA256 string    `json:"canonical_sha256"`
	TextSHA256      string    `json:"text_sha256"`
	Text            string    `json:"text" doc:"The exact text that goes to the EHR"`
}

type delivery struct {
	ID             uuid.UUID              `json:"id"`
	Target         string                 `json:"target"`
	State          pipeline.DeliveryState `json:"state" enum:"pending,sending,unknown,delivered,rejected"`
	EHRID          string                 `json:"ehr_id"`
	EHRVersion     string                 `json:"ehr_version"`
	TextSHA256     string                 `json:"text_sha256"`
	ReadBackSHA256 string                 `json:"read_back_sha256"`
	ErrorCode      string                 `json:"error_code"`
	UpdatedAt      time.Time              `json:"updated_at"`
}

// Detail is everything about one dictation. It is exported for the same reason as CardBase.
type Detail struct {
	CardBase
	Patient    optional[patient]               `json:"patient"`
	Encounter  optional[encounter]             `json:"encounter"`
	Note       optional[noteRef]               `json:"note"`
	Version    optional[version]               `json:"version" doc:"The newest version"`
	Transcript optional[transcribe.Transcript] `json:"transcript"`
	Claim      optional[claim]                 `json:"claim"`
	Obstacles  []notes.Obstacle                `json:"obstacles"`
	Signature  optional[signature]             `json:"signature"`
	Deliveries []delivery                      `json:"deliveries"`
	Parent     optional[uuid.UUID]             `json:"parent" doc:"The dictation whose signed note this one adds to"`
	Addenda    []uuid.UUID                     `json:"addenda"`
	HasAudio   bool                            `json:"has_audio"`
	Purged     []tombstone                     `json:"purged" doc:"What is left of recordings that were purged"`
	Can        map[string]bool                 `json:"can" doc:"Which actions the reader may take now"`
}

func viewDetail(d pipeline.Detail) Detail {
	out := Detail{
		CardBase: viewCardBase(d.Card), Obstacles: orEmpty(d.Obstacles), Deliveries: each(d.Deliveries, viewDelivery),
		Addenda: orEmpty(d.Addenda), HasAudio: d.HasAudio, Purged: each(d.Purged, viewTombstone), Can: viewCan(d.Can),
		Transcript: optional[transcribe.Transcript]{d.Transcript}, Parent: optional[uuid.UUID]{d.Parent},
	}
	if d.Patient != nil {
		out.Patient = some(viewPatient(*d.Patient))
	}
	if d.Encounter != nil {
		out.Encounter = some(viewEncounter(*d.Encounter))
	}
	if d.Note != nil {
		out.Note = some(noteRef{d.Note.ID, d.Note.Latest})
	}
	if d.Version != nil {
		out.Version = some(viewVersion(*d.Version))
	}
	if d.Claim != nil {
		out.Claim = some(viewClaim(*d.Claim))
	}
	if d.Signature != nil {
		out.Signature = some(viewSignature(*d.Signature))
	}
	return out
}

func orEmpty[T any](in []T) []T {
	if in == nil {
		return []T{}
	}
	return in
}

func viewCan(in map[access.Action]bool) map[string]bool {
	out := make(map[string]bool, len(in))
	for a, ok := range in {
		out[string(a)] = ok
	}
	return out
}

func viewPatient(p pipeline.Patient) patient {
	return patient{ID: p.ID, MRN: p.MRN, Name: p.Name, BirthDate: p.BirthDate, Sex: p.Sex}
}

func viewEncounter(e pipeline.Encounter) encounter {
	return encounter{ID: e.ID, PatientID: e.PatientID, AuthorID: e.AuthorID, Starts: stamp(e.Starts), Title: e.Title, PatientName: e.PatientName, MRN: e.MRN}
}

func viewVersion(v pipeline.Version) version {
	out := version{Number: v.Number, Kind: v.Kind, At: stamp(v.At), ContentHash: v.ContentHash, Document: v.Document}
	if v.By != nil {
		out.By = some(personRef{*v.By, v.ByName})
	}
	return out
}

func viewClaim(c pipeline.Claim) claim {
	return claim{Person: personRef{c.PersonID, c.PersonName}, Since: stamp(c.Since), Until: stamp(c.Until)}
}

func viewSignature(s pipeline.Signature) signature {
	return signature{
		ID: s.ID, Version: s.Version, Signer: s.SignerName, Credential: s.Credential, Meaning: s.Meaning,
		SignedAt: stamp(s.SignedAt), CanonicalSHA256: s.CanonicalSHA256, TextSHA256: s.TextSHA256, Text: string(s.Text),
	}
}

func viewDelivery(d pipeline.Delivery) delivery {
	return delivery{
		ID: d.ID, Target: d.Target, State: d.State, EHRID: d.EHRID, EHRVersion: d.EHRVersion, TextSHA256: d.TextSHA256,
		ReadBackSHA256: d.ReadBackSHA, ErrorCode: d.ErrorCode, UpdatedAt: stamp(d.UpdatedAt),
	}
}
