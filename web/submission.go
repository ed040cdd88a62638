package web

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/pipeline"
)

// formFields are what may go with a recording, in multipart fields and in Upload-Metadata alike.
var formFields = []string{"author", "patient", "encounter", "work_type", "priority", "client_key", "filename", "filetype"}

// defaultWorkType is the kind of document where the sender names none.
const defaultWorkType = "progress"

// maxField is the longest value of such a field, in bytes.
const maxField = 500

// checkField refuses what is not known: a misspelt "patient" must not be dropped in silence.
func checkField(name, value string) error {
	if !slices.Contains(formFields, name) {
		return fault.New(fault.Invalid, "field_unknown", "A field is not known here. Known are file, "+strings.Join(formFields, ", ")+".")
	}
	if len(value) > maxField {
		return fault.New(fault.Invalid, "field_too_long", "A field that goes with the recording is too long.")
	}
	return nil
}

// submission reads the fields. The author is an id or a login, the patient an id or a record
// number; the rest is checked by the service.
func submission(fields map[string]string, actor access.Actor) (pipeline.Submission, error) {
	sub := pipeline.Submission{
		ClientKey: fields["client_key"], WorkType: fields["work_type"], Filename: fields["filename"], ContentType: fields["filetype"],
		AuthorID: actor.ID, Priority: pipeline.Routine,
	}
	if sub.WorkType == "" {
		sub.WorkType = defaultWorkType
	}
	switch fields["priority"] {
	case "", "routine":
	case "stat":
		sub.Priority = pipeline.Stat
	default:
		return sub, fault.New(fault.Invalid, "priority_invalid", "The priority is stat or routine.")
	}
	if v := fields["author"]; v != "" && v != "me" {
		if id, err := uuid.Parse(v); err == nil {
			sub.AuthorID = id
		} else {
			sub.AuthorLogin = v
		}
	}
	if v := fields["encounter"]; v != "" {
		id, err := uuid.Parse(v)
		if err != nil {
			return sub, fault.New(fault.Invalid, "encounter_invalid", "The visit must be an id.")
		}
		sub.EncounterID = &id
	}
	if v := fields["patient"]; v != "" {
		if id, err := uuid.Parse(v); err == nil {
			sub.PatientID = &id
		} else {
			sub.PatientMRN = v
		}
	}
	return sub, nil
}

// maySubmit refuses early, before bytes are taken, what the service would refuse at the end, and what there is no room for
// now. The service is asked all the
// same, because a refusal belongs on the record; without a body there is nothing for it to take.
func (s *Server) maySubmit(ctx context.Context, actor access.Actor, sub pipeline.Submission) error {
	if access.Decide(actor, access.Submit, access.Resource{PracticeID: actor.PracticeID, AuthorID: sub.AuthorID}) == nil {
		return s.takesMore(ctx, sub.Priority)
	}
	sub.Body = http.NoBody
	_, err := s.svc.Submit(ctx, actor, sub)
	return err
}

// submitTime is how long storing a recording may take once its bytes are here.
const submitTime = 15 * time.Minute

// receive hands a whole recording to the service. It goes on when the client leaves: all bytes are here, and a client
// that comes back is answered with the same dictation.
func (s *Server) receive(ctx context.Context, actor access.Actor, sub pipeline.Submission) (pipeline.Receipt, error) {
	of(ctx).deadlines(0, submitTime+writeTime)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), submitTime)
	defer cancel()
	s.uploads.running.Add(1)
	defer s.uploads.running.Done()
	return s.svc.Submit(ctx, actor, sub)
}

// receipt is the promise "received".
type receipt struct {
	ID         uuid.UUID      `json:"id" doc:"The dictation"`
	State      pipeline.State `json:"state"`
	SHA256     string         `json:"sha256" doc:"Of the bytes as received"`
	Bytes      int64          `json:"bytes"`
	ReceivedAt time.Time      `json:"received_at"`
	Duplicate  bool           `json:"duplicate" doc:"The same recording or client key was here before; this is the earlier dictation"`
	// A pointer, because receipts of uploads are kept on disk and read again.
	ExpectedWait *int `json:"expected_wait,omitempty" doc:"About how many seconds until the speech engine hears it; absent while it cannot be told"`
}

func viewReceipt(r pipeline.Receipt) receipt {
	out := receipt{ID: r.DictationID, State: r.State, SHA256: r.SHA256, Bytes: r.Bytes, ReceivedAt: stamp(r.ReceivedAt), Duplicate: r.Duplicate}
	if r.WaitKnown {
		out.ExpectedWait = new(int)
		*out.ExpectedWait = int(r.Wait.Seconds())
	}
	return out
}

// dictationHeader carries the dictation's id on the answers of resumable uploads.
const dictationHeader = "Vesper-Dictation"

func (r receipt) write(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Location", "/api/v1/dictations/"+r.ID.String())
	w.Header().Set(dictationHeader, r.ID.String())
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(r) //nolint:errchkjson // the header is out; a broken connection is its own news
}
