package sandbox

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// referencedKinds can be put and read, because documents point at them.
var referencedKinds = []string{"Patient", "Encounter", "Practitioner", "Organization"}

// base is the FHIR base URL as the client knows it.
func (s *Server) base(r *http.Request) string {
	if s.opt.BaseURL != "" {
		return strings.TrimSuffix(s.opt.BaseURL, "/") + "/fhir"
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host + "/fhir"
}

// create files a document; with If-None-Exist only when none matches. Look-up and append happen under one lock.
func (s *Server) create(w http.ResponseWriter, r *http.Request) error {
	fields, raw, err := decodeBody(w, r, "DocumentReference")
	if err != nil {
		return err
	}
	if err := check(fields, raw); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if cond := r.Header.Get("If-None-Exist"); cond != "" {
		found, err := s.matching(cond)
		switch {
		case err != nil:
			return err
		case len(found) > 1:
			return refuse(http.StatusPreconditionFailed, "multiple-matches", "More than one document matches If-None-Exist.")
		case len(found) == 1:
			l, _, err := s.store.load("DocumentReference/"+found[0], 0)
			if err != nil {
				return err
			}
			s.answer(w, r, http.StatusOK, l)
			return nil
		}
	}
	id := s.store.nextID()
	if _, err := s.store.add("DocumentReference", id, s.opt.Now(), fields); err != nil {
		return err
	}
	l, _, err := s.store.load("DocumentReference/"+id, 0)
	if err != nil {
		return err
	}
	s.log.Info("sandbox stored a document", "id", id)
	s.answer(w, r, http.StatusCreated, l)
	return nil
}

// matching evaluates If-None-Exist, of which the sandbox knows identifier=system|value.
func (s *Server) matching(cond string) ([]string, error) {
	q, err := url.ParseQuery(strings.TrimPrefix(cond, "?"))
	if err != nil || len(q) != 1 || len(q["identifier"]) != 1 || !strings.Contains(q.Get("identifier"), "|") {
		return nil, refuse(http.StatusBadRequest, "not-supported", "If-None-Exist must be identifier=system|value.")
	}
	return s.store.byIdentifier[q.Get("identifier")], nil
}

// answer writes a stored version with the headers of create and read.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, status int, l line) {
	h := w.Header()
	if r.Method != http.MethodGet {
		h.Set("Location", s.base(r)+"/"+l.Type+"/"+l.ID+"/_history/"+strconv.Itoa(l.Version))
	}
	h.Set("ETag", `W/"`+strconv.Itoa(l.Version)+`"`)
	h.Set("Last-Modified", l.At.UTC().Format(http.TimeFormat))
	if r.Method != http.MethodGet && strings.Contains(r.Header.Get("Prefer"), "return=minimal") {
		w.WriteHeader(status)
		return
	}
	s.write(w, status, l.Resource)
}

// read answers with the newest or the asked version. What a document refers to but nobody has put is answered with a
// labelled placeholder, so that every reference in the sandbox resolves.
func (s *Server) read(kind string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		version := 0
		if v := r.PathValue("version"); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil || n < 1 {
				return refuse(http.StatusNotFound, "not-found", "There is no such version.")
			}
			version = n
		}
		key := kind + "/" + r.PathValue("id")
		s.mu.Lock()
		defer s.mu.Unlock()
		l, ok, err := s.store.load(key, version)
		if err != nil {
			return err
		}
		if ok {
			s.answer(w, r, http.StatusOK, l)
			return nil
		}
		display, known := s.store.referenced[key]
		if !known || version > 0 {
			return refuse(http.StatusNotFound, "not-found", "There is no such resource.")
		}
		s.write(w, http.StatusOK, placeholder(kind, r.PathValue("id"), display))
		return nil
	}
}

func placeholder(kind, id, display string) map[string]any {
	p := map[string]any{"resourceType": kind, "id": id, "meta": map[string]any{"tag": []any{map[string]any{
		"system": "urn:vesper:sandbox-ehr", "code": "placeholder", "display": Notice,
	}}}}
	switch {
	case kind == "Encounter": // status and class are required in R4
		p["status"] = "unknown"
		p["class"] = map[string]any{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}
	case kind == "Organization" && display != "":
		p["name"] = display
	case display != "":
		p["name"] = []any{map[string]any{"text": display}}
	}
	return p
}

// put stores a patient, visit, practitioner or organisation under the id the client chose.
func (s *Server) put(kind string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id := r.PathValue("id")
		fields, _, err := decodeBody(w, r, kind)
		if err != nil {
			return err
		}
		if !validID.MatchString(id) || fields["id"] != id {
			return refuse(http.StatusBadRequest, "value", "The id in the body must be the one in the address.")
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		version, err := s.store.add(kind, id, s.opt.Now(), fields)
		if err != nil {
			return err
		}
		l, _, err := s.store.load(kind+"/"+id, version)
		if err != nil {
			return err
		}
		status := http.StatusOK
		if version == 1 {
			status = http.StatusCreated
		}
		s.answer(w, r, status, l)
		return nil
	}
}

// metadata is the CapabilityStatement.
func (s *Server) metadata(w http.ResponseWriter, r *http.Request) {
	interactions := func(codes ...string) (out []any) {
		for _, c := range codes {
			out = append(out, map[string]any{"code": c})
		}
		return out
	}
	resources := []any{map[string]any{
		"type": "DocumentReference", "interaction": interactions("create", "read", "vread", "search-type"),
		"versioning": "versioned", "conditionalCreate": true,
		"searchParam": []any{
			map[string]any{"name": "identifier", "type": "token"},
			map[string]any{"name": "patient", "type": "reference"},
			map[string]any{"name": "subject", "type": "reference"},
			map[string]any{"name": "_id", "type": "token"},
		},
	}}
	for _, kind := range referencedKinds {
		resources = append(resources, map[string]any{
			"type": kind, "interaction": interactions("read", "vread", "update"),
			"updateCreate": true, "versioning": "versioned",
		})
	}
	for _, kind := range []string{"MedicationRequest", "Condition"} {
		resources = append(resources, map[string]any{
			"type": kind, "interaction": interactions("search-type"), "searchParam": []any{map[string]any{"name": "patient", "type": "reference"}},
		})
	}
	s.write(w, http.StatusOK, map[string]any{
		"resourceType": "CapabilityStatement", "status": "active", "date": "2026-01-01", "kind": "instance",
		"name": "SandboxEHR", "title": Notice, "experimental": true, "description": Notice,
		"software":       map[string]any{"name": "Vesper sandbox EHR"},
		"implementation": map[string]any{"description": Notice, "url": s.base(r)},
		"fhirVersion":    "4.0.1", "format": []any{"application/fhir+json"},
		"rest": []any{map[string]any{"mode": "server", "resource": resources}},
	})
}
