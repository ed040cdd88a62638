package web

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// describeUploads adds the tus routes to the description of the API.
func (s *Server) describeUploads() {
	const tag = "uploads"
	text := &huma.Schema{Type: "string"}
	header := func(name, doc string) *huma.Param {
		return &huma.Param{Name: name, In: "header", Description: doc, Required: true, Schema: text}
	}
	maybe := func(name, doc string) *huma.Param {
		p := header(name, doc)
		p.Required = false
		return p
	}
	id := &huma.Param{Name: "id", In: "path", Required: true, Description: "The upload", Schema: &huma.Schema{Type: "string", Format: "uuid"}}
	version := header("Tus-Resumable", "1.0.0")
	answer := func(doc string, headers ...string) *huma.Response {
		r := &huma.Response{Description: doc, Headers: map[string]*huma.Header{}}
		for _, h := range headers {
			r.Headers[h] = &huma.Param{Schema: text}
		}
		return r
	}
	bytes := &huma.RequestBody{Content: map[string]*huma.MediaType{
		"application/offset+octet-stream": {Schema: &huma.Schema{Type: "string", Format: "binary"}},
	}}

	op := operation(http.MethodPost, "/v1/uploads", tag, "create-upload", "Begin a resumable upload (tus 1.0)")
	op.Parameters = []*huma.Param{
		version, maybe("Upload-Length", "Bytes in all"), maybe("Upload-Defer-Length", "1, instead of Upload-Length, while the length is not known yet"),
		header("Upload-Metadata", "filename, filetype, client_key, author, patient, encounter, work_type, priority; as tus writes them"),
	}
	s.describe(op, nil, map[string]*huma.Response{"201": answer("Begun", "Location", "Upload-Expires", dictationHeader)})

	op = operation(http.MethodHead, "/v1/uploads/{id}", tag, "get-upload", "How many bytes are here")
	op.Description = "While a whole upload is not received yet, one byte less is shown; sending it again repeats the end."
	op.Parameters = []*huma.Param{id}
	s.describe(op, nil, map[string]*huma.Response{"200": answer("The state", "Upload-Offset", "Upload-Length", "Upload-Defer-Length", "Upload-Metadata", "Upload-Expires", dictationHeader, heardHeader)})

	op = operation(http.MethodPatch, "/v1/uploads/{id}", tag, "append-upload", "Send more bytes")
	op.Description = "The answer to the last bytes means received; it carries the header " + dictationHeader + "."
	op.Parameters = []*huma.Param{
		id, version, header("Upload-Offset", "Where these bytes begin"),
		maybe("Upload-Length", "Bytes in all, once it is known, of an upload that was begun without"),
	}
	s.describe(op, bytes, map[string]*huma.Response{"204": answer("Kept", "Upload-Offset", "Upload-Expires", dictationHeader, heardHeader)})

	op = operation(http.MethodDelete, "/v1/uploads/{id}", tag, "delete-upload", "Give an upload up")
	op.Parameters = []*huma.Param{id, version}
	s.describe(op, nil, map[string]*huma.Response{"204": answer("Gone")})

	op = operation(http.MethodPost, "/v1/uploads/{id}/finish", tag, "finish-upload", "Get the receipt of an upload whose bytes are all here")
	op.Parameters = []*huma.Param{id}
	s.describe(op, nil, map[string]*huma.Response{"200": {Description: "Received", Content: map[string]*huma.MediaType{
		"application/json": {Schema: s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[receipt](), true, "Receipt")},
	}}})
}
