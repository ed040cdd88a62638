package web

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"vesper/internal/fault"
)

func (s *Server) mountSubmit() {
	op := operation(http.MethodPost, "/v1/dictations", "dictations", "submit-dictation", "Submit a recording")
	op.Description = "The answer means received: the bytes are in the object store, checked, and the record is committed. " +
		"Sending the same client_key or the same bytes again answers 200 with the earlier dictation."
	text := func(doc string) *huma.Schema { return &huma.Schema{Type: "string", Description: doc} }
	form := &huma.Schema{
		Type: "object", Required: []string{"file"},
		Properties: map[string]*huma.Schema{
			"file":       {Type: "string", Format: "binary", Description: "WAV, MP3, M4A/AAC, OGG/Opus, WebM/Opus, FLAC, AMR, DSS and others, see docs/formats.md"},
			"author":     text("Id or login of the physician who dictated; without it, whoever is signed in"),
			"patient":    text("Id or record number"),
			"encounter":  text("Id of the visit"),
			"work_type":  text("As in /v1/work-types; progress note if empty"),
			"priority":   {Type: "string", Enum: []any{"stat", "routine"}},
			"client_key": text("Chosen by the client; the same key again is the same dictation"),
		},
	}
	ok := func(text string) *huma.Response {
		return &huma.Response{Description: text, Content: map[string]*huma.MediaType{
			"application/json": {Schema: s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[receipt](), true, "Receipt")},
		}}
	}
	s.describe(op, &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: form}}},
		map[string]*huma.Response{"201": ok("Received"), "200": ok("Was received before")})
	s.raw("POST /api/v1/dictations", s.submit)
}

// submit takes a multipart upload. The file goes to a private file on disk as it arrives, never to memory, because
// fields may follow it and all of them are needed before it can be taken.
func (s *Server) submit(w http.ResponseWriter, r *http.Request) {
	if _, err := s.uploadGate(r).pass(); err != nil {
		fail(w, r, s.log, err)
		return
	}
	spool, err := os.CreateTemp(s.cfg.SpoolDir, formSpool+"*")
	if err != nil {
		fail(w, r, s.log, spoolFault(err))
		return
	}
	defer os.Remove(spool.Name())
	defer spool.Close()
	fields, err := s.readForm(w, r, spool)
	if err != nil {
		fail(w, r, s.log, err)
		return
	}
	q := of(r.Context())
	sub, err := submission(fields, q.actor)
	if err == nil {
		_, err = spool.Seek(0, io.SeekStart)
	}
	if err != nil {
		fail(w, r, s.log, err)
		return
	}
	sub.Body = spool
	got, err := s.receive(r.Context(), q.actor, sub)
	if err != nil {
		fail(w, r, s.log, err)
		return
	}
	status := http.StatusCreated
	if got.Duplicate {
		status = http.StatusOK
	}
	viewReceipt(got).write(w, status)
}

// readForm reads the fields and copies the file into the spool.
func (s *Server) readForm(w http.ResponseWriter, r *http.Request, spool *os.File) (map[string]string, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return nil, fault.New(fault.Unsupported, "multipart_expected", "Send the recording as multipart/form-data, in a field named file.")
	}
	if r.ContentLength > s.cfg.MaxUpload+formRoom {
		return nil, tooLarge(s.cfg.MaxUpload)
	}
	body := &steadyBody{r: http.MaxBytesReader(w, r.Body, s.cfg.MaxUpload+formRoom), q: of(r.Context())}
	form := multipart.NewReader(body, params["boundary"])
	fields, seen := map[string]string{}, false
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, bodyFault(err, s.cfg.MaxUpload)
		}
		if part.FormName() == "file" {
			if seen {
				return nil, fault.New(fault.Invalid, "file_twice", "Send one recording at a time.")
			}
			seen = true
			fields["filename"], fields["filetype"] = trim(part.FileName()), trim(part.Header.Get("Content-Type"))
			if err := s.maySpool(r, fields); err != nil {
				return nil, err
			}
			if err := spoolPart(spool, part, s.cfg.MaxUpload); err != nil {
				return nil, err
			}
			continue
		}
		value, err := io.ReadAll(io.LimitReader(part, maxField+1))
		if err != nil {
			return nil, bodyFault(err, s.cfg.MaxUpload)
		}
		if err := checkField(part.FormName(), string(value)); err != nil {
			return nil, err
		}
		fields[part.FormName()] = string(value)
	}
	if !seen {
		return nil, empty()
	}
	return fields, nil
}

// formRoom is how much a form may hold beside the recording.
const formRoom = 1 << 20

// formSpool begins the names of files that hold a form's recording while it arrives.
const formSpool = "form-"

// maySpool refuses, with the fields that came first, a recording that would be refused later.
func (s *Server) maySpool(r *http.Request, fields map[string]string) error {
	q := of(r.Context())
	sub, err := submission(fields, q.actor)
	if err != nil {
		return err
	}
	if err := s.maySubmit(r.Context(), q.actor, sub); err != nil {
		return err
	}
	return roomFor(s.cfg.SpoolDir, max(r.ContentLength, 0))
}

func spoolPart(spool *os.File, part io.Reader, limit int64) error {
	n, err := io.Copy(spool, io.LimitReader(part, limit+1))
	switch {
	case err != nil:
		return bodyFault(err, limit)
	case n == 0:
		return empty()
	case n > limit:
		return tooLarge(limit)
	}
	return nil
}
