package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	tus "github.com/tus/tusd/v2/pkg/handler"
	xslog "golang.org/x/exp/slog"

	"vesper/internal/fault"
)

// pass gives the request to the library, with the path it expects, and turns its answers into ours.
func (u *uploads) pass(w http.ResponseWriter, r *http.Request, id string, h http.HandlerFunc) {
	inner := r.Clone(r.Context())
	inner.URL.Path, inner.URL.RawPath = id, ""
	inner.Header.Del("X-HTTP-Method-Override") // the method is what was routed
	out := &tusWriter{ResponseWriter: w, r: r, u: u}
	inner.Body = endedBody{r.Body, out}
	u.tus.Middleware(h).ServeHTTP(out, inner)
	out.close()
}

// tusWriter turns the library's plain error texts into problems, makes Location a path (behind a proxy the library
// cannot know the right scheme), and never lets a finished upload look received when it is not.
type tusWriter struct {
	http.ResponseWriter
	r      *http.Request
	u      *uploads
	failed bool
	body   bytes.Buffer

	mu   sync.Mutex
	read bool // the whole body is here, or the request is over: nothing is left to cut off
	cut  bool // reading was cut off: the connection is not fit for another request
}

// SetReadDeadline implements what http.ResponseController asks for. To end a request that hangs on a dead connection the
// library cuts off its reading, but it does so too when the body is here and Submit runs, or after the answer. The server
// then takes the connection for lost, and every later request on it would come with a cancelled context.
func (w *tusWriter) SetReadDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !t.After(time.Now()) {
		if w.read {
			return nil
		}
		w.cut = true
	}
	return http.NewResponseController(w.ResponseWriter).SetReadDeadline(t)
}

func (w *tusWriter) allRead() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.read = true
}

func (w *tusWriter) wasCut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut
}

// endedBody tells the writer when the body has ended.
type endedBody struct {
	io.ReadCloser
	w *tusWriter
}

func (b endedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		b.w.allRead()
	}
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *tusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *tusWriter) WriteHeader(status int) {
	h := w.Header()
	if w.wasCut() {
		h.Set("Connection", "close")
	}
	if status >= http.StatusBadRequest && h.Get("Content-Type") != problemType {
		w.failed = true
		return
	}
	if loc, err := url.Parse(h.Get("Location")); err == nil && loc.Path != "" {
		h.Set("Location", loc.Path)
	}
	if status < http.StatusMultipleChoices && h.Get("Upload-Expires") == "" {
		h.Set("Upload-Expires", w.u.expires(time.Now()))
	}
	if heard := w.u.early.heard(w.r.PathValue("id")); heard != "" {
		h.Set(heardHeader, heard)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *tusWriter) Write(p []byte) (int, error) {
	if w.failed {
		if w.body.Len() < 1000 {
			w.body.Write(p)
		}
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// close writes the problem for an error of the library. Its text begins with a code; the rest may hold paths.
func (w *tusWriter) close() {
	w.allRead()
	if !w.failed {
		return
	}
	code, text, _ := strings.Cut(strings.TrimSpace(w.body.String()), ":")
	k, ok := tusProblems[code]
	if !ok {
		f := fault.New(fault.Internal, "internal", "Something went wrong on our side. Nothing was lost; try again.")
		if strings.Contains(text, "no space left") || strings.Contains(text, "quota exceeded") {
			f = fault.New(fault.Unavailable, "spool_full", "The server's disk is full, so it takes no more bytes right now. Keep the recording and try again later.")
		}
		w.u.log.ErrorContext(w.r.Context(), "upload failed", "request", of(w.r.Context()).id, "err", strings.TrimSpace(text))
		problem(w.r.Context(), f).write(w.ResponseWriter, w.r)
		return
	}
	k.write(w.ResponseWriter, w.r)
}

// tusProblem is what an error of the library means to a client.
type tusProblem struct {
	status       int
	code, detail string
}

func (p tusProblem) write(w http.ResponseWriter, r *http.Request) {
	newProblem(r.Context(), p.status, p.code, p.detail).write(w, r)
}

var tusProblems = func() map[string]tusProblem {
	headers := tusProblem{http.StatusBadRequest, "upload_headers", "The upload's headers are not those of tus 1.0."}
	busy := tusProblem{http.StatusLocked, "upload_busy", "Another request is working on this upload. Try again in a moment."}
	stalled := tusProblem{http.StatusServiceUnavailable, "upload_stalled", "The connection broke off. Ask with HEAD how much is here, then go on."}
	size := tusProblem{http.StatusRequestEntityTooLarge, "upload_size", "More bytes came than the upload was announced with."}
	return map[string]tusProblem{
		"ERR_UNSUPPORTED_VERSION":         {http.StatusPreconditionFailed, "tus_version", "Send the header Tus-Resumable: 1.0.0."},
		"ERR_MAX_SIZE_EXCEEDED":           {http.StatusRequestEntityTooLarge, "audio_too_large", "The recording is larger than this server takes. Split it and send the parts."},
		"ERR_INVALID_CONTENT_TYPE":        headers,
		"ERR_INVALID_UPLOAD_LENGTH":       headers,
		"ERR_INVALID_OFFSET":              headers,
		"ERR_INVALID_CONCAT":              headers,
		"ERR_AMBIGUOUS_UPLOAD_LENGTH":     headers,
		"ERR_INVALID_UPLOAD_LENGTH_DEFER": headers,
		"ERR_CONCATENATION_UNSUPPORTED":   headers,
		"ERR_NOT_IMPLEMENTED":             {http.StatusBadRequest, "upload_extension", "This server does not have this extension of tus."},
		"ERR_UPLOAD_NOT_FOUND":            {http.StatusNotFound, "upload_unknown", "There is no such upload, or it has expired. Start it again."},
		"ERR_UPLOAD_LOCKED":               busy,
		"ERR_LOCK_TIMEOUT":                busy,
		"ERR_UPLOAD_INTERRUPTED":          busy,
		"ERR_MISMATCHED_OFFSET":           {http.StatusConflict, "upload_offset", "The server has another number of bytes. Ask it with HEAD, then go on from there."},
		"ERR_UPLOAD_SIZE_EXCEEDED":        size,
		"ERR_SERVER_SHUTDOWN":             stalled,
		"ERR_UNEXPECTED_EOF":              stalled,
		"ERR_READ_TIMEOUT":                stalled,
		"ERR_CONNECTION_RESET":            stalled,
	}
}()

// tusError wraps a fault so that the library answers with our problem.
func (u *uploads) tusError(ctx context.Context, err error) error {
	p := problem(ctx, err)
	logCause(ctx, u.log, p, err)
	header := tus.HTTPHeader{"Content-Type": problemType}
	for k := range p.GetHeaders() {
		header[k] = p.GetHeaders().Get(k)
	}
	return tus.Error{ErrorCode: p.Code, Message: p.Detail, HTTPResponse: tus.HTTPResponse{
		StatusCode: p.Status, Body: string(p.json()), Header: header,
	}}
}

// quietLog keeps the library's own log: warnings and errors only, by their message. Its attributes name addresses and
// answers, which do not belong there.
func quietLog(log *slog.Logger) *xslog.Logger { return xslog.New(quiet{log}) }

type quiet struct{ log *slog.Logger }

func (q quiet) Enabled(_ context.Context, l xslog.Level) bool { return l >= xslog.LevelWarn }

func (q quiet) Handle(ctx context.Context, r xslog.Record) error {
	q.log.WarnContext(ctx, "upload: "+r.Message, "request", of(ctx).id)
	return nil
}

func (q quiet) WithAttrs([]xslog.Attr) xslog.Handler { return q }
func (q quiet) WithGroup(string) xslog.Handler       { return q }
