package web

import (
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/pipeline"
)

func (s *Server) mountAudio() {
	op := operation(http.MethodGet, "/v1/dictations/{id}/audio", "dictations", "get-audio", "Listen to a recording; ranges are answered")
	op.Parameters = []*huma.Param{
		{Name: "id", In: "path", Required: true, Description: "The dictation", Schema: &huma.Schema{Type: "string", Format: "uuid"}},
		{Name: "rendition", In: "query", Description: "playback has the transcript's times; original is what was received", Schema: &huma.Schema{
			Type: "string", Enum: []any{pipeline.Playback, pipeline.Original}, Default: pipeline.Playback,
		}},
		{Name: "Range", In: "header", Schema: &huma.Schema{Type: "string"}},
	}
	sound := map[string]*huma.MediaType{"audio/*": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}
	s.describe(op, nil, map[string]*huma.Response{
		"200": {Description: "The recording", Content: sound},
		"206": {Description: "The asked range", Content: sound},
		"304": {Description: "Not changed"},
		"416": {Description: "The range lies outside of the recording"},
	})
	s.raw("GET /api/v1/dictations/{id}/audio", s.audio)
}

// audio streams a recording, decrypted range by range. The browser may not keep it.
func (s *Server) audio(w http.ResponseWriter, r *http.Request) {
	q := of(r.Context())
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		fail(w, r, s.log, fault.New(fault.NotFound, "not_found", "There is no such item in your practice."))
		return
	}
	rendition := r.URL.Query().Get("rendition")
	switch rendition {
	case "":
		rendition = pipeline.Playback
	case pipeline.Playback, pipeline.Original:
	default:
		fail(w, r, s.log, fault.New(fault.Invalid, "rendition_invalid", "The rendition is playback or original."))
		return
	}
	body, a, err := s.svc.OpenAudio(r.Context(), q.actor, id, rendition)
	if err != nil {
		fail(w, r, s.log, err)
		return
	}
	defer body.Close()
	h := w.Header()
	kind := soundType(a.ContentType)
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": "dictation-" + id.String() + extension(kind)}))
	h.Set("ETag", `"`+a.SHA256+`"`)
	http.ServeContent(&steadyWriter{ResponseWriter: w, q: q}, r, "", time.Time{}, body)
}

// soundType lets only types of sound through, whatever the uploader claimed; nothing that a browser would run or show.
func soundType(t string) string {
	t, _, _ = strings.Cut(strings.ToLower(t), ";")
	t = strings.TrimSpace(t)
	if _, ok := extensions[t]; ok {
		return t
	}
	return "application/octet-stream"
}

var extensions = map[string]string{
	"audio/wav": ".wav", "audio/x-wav": ".wav", "audio/wave": ".wav", "audio/vnd.wave": ".wav", "audio/mpeg": ".mp3", "audio/mp3": ".mp3",
	"audio/mp4": ".m4a", "audio/x-m4a": ".m4a", "audio/m4a": ".m4a", "audio/aac": ".aac", "audio/ogg": ".ogg", "audio/opus": ".opus",
	"audio/webm": ".webm", "video/webm": ".webm", "video/mp4": ".mp4", "audio/flac": ".flac", "audio/x-flac": ".flac",
}

func extension(kind string) string { return extensions[kind] }
