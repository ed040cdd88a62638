package nemesis

import "time"

// Evidence is what is there at the end, read past the program: rows of PostgreSQL, objects of the store as they come out of
// it, documents of the EHR as its own journal has them, and what verifying the audit log found.
type Evidence struct {
	Now         time.Time    `json:"now"` // PostgreSQL's clock
	Dictations  []Dictation  `json:"dictations"`
	Audio       []Audio      `json:"audio"`
	Jobs        []Job        `json:"jobs"`
	Moves       []Move       `json:"moves"`
	Claims      []Claim      `json:"claims"`
	Transcripts []Transcript `json:"transcripts"`
	Versions    []Version    `json:"versions"`
	Signatures  []Signature  `json:"signatures"`
	Deliveries  []Delivery   `json:"deliveries"`
	Events      []Event      `json:"events"`

	Stored    map[string]string // audio id: SHA-256 of what the store gives back, or "" with the reason in Unreadable
	Broken    map[string]string // audio id: why it could not be read whole
	Documents []Document
	Audit     []string // what the verification of the log found
}

// Dictation is a row of dictations.
type Dictation struct {
	ID        string `json:"id"`
	Author    string `json:"author_id"`
	ClientKey string `json:"client_key"`
	Parent    string `json:"parent_id"`
	State     string `json:"state"`
	Reason    string `json:"reason"`
}

// Audio is a row of audio_objects.
type Audio struct {
	ID        string `json:"id"`
	Dictation string `json:"dictation_id"`
	Rendition string `json:"rendition"`
	SHA256    string `json:"sha256"`
}

// Job is a row of jobs.
type Job struct {
	ID         string     `json:"id"`
	Dictation  string     `json:"dictation_id"`
	Kind       string     `json:"kind"`
	Gen        int        `json:"gen"`
	State      string     `json:"state"`
	Attempt    int        `json:"attempt"`
	RunAfter   time.Time  `json:"run_after"`
	LeaseUntil *time.Time `json:"lease_until"`
	Finished   *time.Time `json:"finished_at"`
	Error      string     `json:"error_code"`
}

// Move is a row of state_changes.
type Move struct {
	Ord       int64  `json:"ord"`
	Dictation string `json:"dictation_id"`
	From      string `json:"from_state"`
	To        string `json:"to_state"`
}

// Claim is a row of claims that has not ended.
type Claim struct {
	Dictation string    `json:"dictation_id"`
	Until     time.Time `json:"until"`
}

// Transcript is a row of transcripts.
type Transcript struct {
	ID        string `json:"id"`
	Dictation string `json:"dictation_id"`
	Job       string `json:"job_id"`
}

// Version is a row of note_versions.
type Version struct {
	Note      string `json:"note_id"`
	Dictation string `json:"dictation_id"`
	Number    int    `json:"number"`
	Kind      string `json:"kind"`
	Hash      string `json:"content_hash"`
}

// Signature is a row of signatures; Computed is the SHA-256 of the text that stands in it.
type Signature struct {
	ID         string `json:"id"`
	Note       string `json:"note_id"`
	Dictation  string `json:"dictation_id"`
	Version    int    `json:"version"`
	TextSHA256 string `json:"text_sha256"`
	Computed   string `json:"computed"`
}

// Delivery is a row of deliveries.
type Delivery struct {
	Note       string `json:"note_id"`
	Signature  string `json:"signature_id"`
	State      string `json:"state"`
	EHRID      string `json:"ehr_id"`
	TextSHA256 string `json:"text_sha256"`
}

// Event is a row of audit_events.
type Event struct {
	Action  string            `json:"action"`
	Subject string            `json:"subject_id"`
	Outcome string            `json:"outcome"`
	Detail  map[string]string `json:"detail"`
}

// Document is one document of the EHR in its newest version.
type Document struct {
	ID         string
	Identifier string // without its system: NOTE/vN
	BodySHA256 string
	Versions   int // how often it was written; a note is written once
}
