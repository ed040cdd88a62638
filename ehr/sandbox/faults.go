package sandbox

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// Fault is what goes wrong with one request. The zero Fault is none. It exists for tests and can be set in Go only.
type Fault struct {
	Refuse int           // answer with this status and do nothing: 500, 409 …
	Lose   int           // do the work, then answer with this status instead of the true one
	Delay  time.Duration // do the work, then wait this long before answering
	Cut    bool          // do the work, then send only the first CutAfter bytes of the answer and close the connection
	// CutAfter counts from the first byte of the status line.
	CutAfter     int
	AlterByte    bool // change one byte of the document in the answer, as a failing disk would
	OtherPatient bool // show the document on another patient
}

func (f Fault) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if f == (Fault{}) {
		next.ServeHTTP(w, r)
		return
	}
	if f.Refuse != 0 {
		http.Error(w, "fault injected", f.Refuse)
		return
	}
	rec := &recorder{code: http.StatusOK, header: maps.Clone(w.Header())}
	next.ServeHTTP(rec, r)
	f.wait(r)
	body := f.alter(rec.body.Bytes())
	switch {
	case f.Cut:
		cut(w, rec, body, f.CutAfter)
	case f.Lose != 0:
		http.Error(w, "fault injected", f.Lose)
	default:
		maps.Copy(w.Header(), rec.header)
		w.WriteHeader(rec.code)
		_, _ = w.Write(body)
	}
}

// recorder holds an answer back until the fault has been worked into it.
type recorder struct {
	code   int
	header http.Header
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(code int)        { r.code = code }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

func (f Fault) wait(r *http.Request) {
	if f.Delay == 0 {
		return
	}
	t := time.NewTimer(f.Delay)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	}
}

// cut writes the first n bytes of the answer as they would stand on the wire, and hangs up.
func cut(w http.ResponseWriter, rec *recorder, body []byte, n int) {
	var wire bytes.Buffer
	fmt.Fprintf(&wire, "HTTP/1.1 %d %s\r\n", rec.code, http.StatusText(rec.code))
	rec.header.Set("Content-Length", strconv.Itoa(len(body)))
	_ = rec.header.Write(&wire)
	wire.WriteString("\r\n")
	wire.Write(body)
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = conn.Write(wire.Bytes()[:min(n, wire.Len())])
}

// alter spoils the document in an answer.
func (f Fault) alter(body []byte) []byte {
	var doc map[string]any
	if (!f.AlterByte && !f.OtherPatient) || json.Unmarshal(body, &doc) != nil || doc["resourceType"] != "DocumentReference" {
		return body
	}
	if f.OtherPatient {
		doc["subject"] = map[string]any{"reference": "Patient/somebody-else"}
	}
	if f.AlterByte {
		a := doc["content"].([]any)[0].(map[string]any)["attachment"].(map[string]any) //nolint:forcetypeassert // checked when it was taken
		data, err := base64.StdEncoding.DecodeString(a["data"].(string))               //nolint:forcetypeassert // tests alone ask for this, of notes within the document
		if err != nil {
			return body
		}
		data[len(data)/2] ^= 1
		a["data"] = base64.StdEncoding.EncodeToString(data)
	}
	out, err := encode(doc)
	if err != nil {
		return body
	}
	return out
}
