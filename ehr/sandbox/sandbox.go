// Package sandbox is a small EHR for demonstrations and tests: a FHIR R4 endpoint that takes DocumentReference resources
// and keeps them in one folder, with a page that shows what has arrived. It is for fictional patients only and says so in
// its CapabilityStatement, in a header of every answer and on every page.
//
// It shares no code with the client in ehr/fhir, so that one judges the other. What US Core asks of servers that take
// notes it does: conditional create, at least 5 MiB inline, text/plain and PDF, relatesTo kept as sent. Faults (slow,
// refusing, cut or altered answers) can be asked for in Go only, never over HTTP.
//
//	/                                              the page
//	/documents/{id}                                one document, readable
//	/fhir/metadata                                 CapabilityStatement
//	/fhir/DocumentReference                        POST (If-None-Exist), search by identifier, patient, subject, _id
//	/fhir/DocumentReference/{id}[/_history/{v}]    read
//	/fhir/{MedicationRequest|Condition}            search by patient, of the demonstration's patients
//	/fhir/{Patient|Encounter|Practitioner|Organization}/{id}   PUT, read
package sandbox

import (
	"crypto/subtle"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Header is set to Notice on every answer.
const (
	Header = "X-Sandbox-Ehr"
	Notice = "SANDBOX EHR - fictional patients only"
)

// Config holds the sandbox's settings.
type Config struct {
	Dir     string // data folder, made if absent; one process at a time
	Token   string // bearer token the FHIR endpoint asks for; "" asks for none
	Open    bool   // show the pages without a password; otherwise they ask for Token by HTTP Basic, any user name
	BaseURL string // public address without /fhir, for Location; "" takes it from the request
	Log     *slog.Logger
	// Faults decides for each request what goes wrong. Tests only; nil means nothing does.
	Faults func(*http.Request) Fault
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Server is the sandbox. It is an http.Handler.
type Server struct {
	opt Config
	mux *http.ServeMux
	log *slog.Logger

	mu    sync.Mutex // held over look-up and append, so that a conditional create is atomic
	store *journal
}

// Open reads the data folder and returns a server that is ready to serve. Close it when done.
func Open(opt Config) (*Server, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	j, err := openJournal(opt.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{opt: opt, store: j, log: opt.Log, mux: http.NewServeMux()}
	s.routes()
	return s, nil
}

// Close releases the data folder. It is safe to call twice.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.store.close()
}

// Count says how many documents stand under an identifier.
func (s *Server) Count(system, value string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.store.byIdentifier[system+"|"+value])
}

func (s *Server) routes() {
	api := func(pattern string, h func(http.ResponseWriter, *http.Request) error) {
		s.mux.HandleFunc(pattern, s.bearer(h))
	}
	s.mux.HandleFunc("GET /fhir/metadata", s.metadata)
	api("POST /fhir/DocumentReference", s.create)
	api("GET /fhir/DocumentReference", s.search)
	api("GET /fhir/DocumentReference/{id}", s.read("DocumentReference"))
	api("GET /fhir/DocumentReference/{id}/_history/{version}", s.read("DocumentReference"))
	for kind := range chartSearch {
		api("GET /fhir/"+kind, s.searchChart(kind))
	}
	for _, kind := range referencedKinds {
		api("PUT /fhir/"+kind+"/{id}", s.put(kind))
		api("GET /fhir/"+kind+"/{id}", s.read(kind))
		api("GET /fhir/"+kind+"/{id}/_history/{version}", s.read(kind))
	}
	api("/fhir/", func(http.ResponseWriter, *http.Request) error {
		return refuse(http.StatusNotFound, "not-supported", "The sandbox does not know this resource or interaction.")
	})
	s.mux.HandleFunc("GET /{$}", s.basic(s.listPage))
	s.mux.HandleFunc("GET /documents/{id}", s.basic(s.documentPage))
	s.mux.HandleFunc("GET /sandbox.css", s.stylesheet)
}

// Handler is the server itself, for those who look for one.
func (s *Server) Handler() http.Handler { return s }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set(Header, Notice)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Config", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "+
		"frame-ancestors 'none'")
	if s.opt.Faults == nil {
		s.mux.ServeHTTP(w, r)
		return
	}
	s.opt.Faults(r).serve(w, r, s.mux)
}

// bearer guards the FHIR endpoint and turns errors into OperationOutcomes.
func (s *Server) bearer(h func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if s.opt.Token != "" && !same(token, s.opt.Token) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="sandbox EHR"`)
			s.fail(w, refuse(http.StatusUnauthorized, "login", "A valid bearer token is needed."))
			return
		}
		if err := h(w, r); err != nil {
			s.fail(w, err)
		}
	}
}

// basic guards the pages. The documents are patient text in form, if of fictional patients.
func (s *Server) basic(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		if s.opt.Token != "" && !s.opt.Open && !same(password, s.opt.Token) {
			w.Header().Set("WWW-Authenticate", `Basic realm="sandbox EHR", charset="UTF-8"`)
			http.Error(w, "The sandbox EHR asks for its token as the password.", http.StatusUnauthorized)
			return
		}
		h(w, r)
	}
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
