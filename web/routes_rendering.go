package web

import (
	"mime"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/notes/render"
)

func (s *Server) mountRenderings() {
	op := operation(http.MethodGet, "/v1/dictations/{id}/versions/{number}/file", "dictations", "get-version-file",
		"A version of the note as a file; unsigned ones are marked as drafts")
	formats := make([]any, 0, len(render.Formats()))
	content := map[string]*huma.MediaType{}
	for _, f := range render.Formats() {
		formats = append(formats, string(f))
		kind, _, _ := mime.ParseMediaType(f.ContentType())
		content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}
	}
	op.Parameters = []*huma.Param{
		{Name: "id", In: "path", Required: true, Description: "The dictation", Schema: &huma.Schema{Type: "string", Format: "uuid"}},
		{Name: "number", In: "path", Required: true, Description: "The version, or 0 for the newest", Schema: &huma.Schema{Type: "integer"}},
		{Name: "format", In: "query", Description: "fhir is the XHTML narrative of Composition.text", Schema: &huma.Schema{
			Type: "string", Enum: formats, Default: string(render.PDF),
		}},
	}
	s.describe(op, nil, map[string]*huma.Response{"200": {Description: "The file; the header Digest-SHA256 has its hash", Content: content}})
	s.raw("GET /api/v1/dictations/{id}/versions/{number}/file", s.versionFile)
}

// versionFile hands out a version to be saved. It is never shown in the page's own origin.
func (s *Server) versionFile(w http.ResponseWriter, r *http.Request) {
	id, err := uuid.Parse(r.PathValue("id"))
	number, wrong := strconv.Atoi(r.PathValue("number"))
	if err != nil || wrong != nil || number < 0 {
		fail(w, r, s.log, fault.New(fault.NotFound, "not_found", "There is no such item in your practice."))
		return
	}
	format := render.Format(r.URL.Query().Get("format"))
	if format == "" {
		format = render.PDF
	}
	q := of(r.Context())
	file, err := s.svc.Rendering(r.Context(), q.actor, id, number, format)
	if err != nil {
		fail(w, r, s.log, err)
		return
	}
	q.deadlines(0, writeTime)
	h := w.Header()
	h.Set("Content-Type", file.ContentType)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": file.Name}))
	h.Set("Content-Length", strconv.Itoa(len(file.Bytes)))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Digest-SHA256", file.SHA256)
	_, _ = w.Write(file.Bytes) // a client that has gone is no failure
}
