package sandbox

import (
	"embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"
)

//go:embed page.html sandbox.css
var assets embed.FS

var pages = template.Must(template.ParseFS(assets, "page.html"))

// shown is a document as the page shows it.
type shown struct {
	ID, Title, Code, Patient, Encounter, Author, Signer, Identifier, Status, Relation string
	Received                                                                          time.Time
	Version                                                                           int
	Size                                                                              int
	Text                                                                              string
	IsText                                                                            bool
}

type page struct {
	Notice string
	Total  int
	List   []shown
	One    *shown
}

// pageSize is how many documents the list shows.
const pageSize = 100

func (s *Server) listPage(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	ids := slices.Clone(s.store.documents)
	s.mu.Unlock()
	slices.Reverse(ids)
	p := page{Notice: Notice, Total: len(ids)}
	for _, id := range ids[:min(len(ids), pageSize)] {
		d, ok := s.shown(w, id)
		if !ok {
			return
		}
		p.List = append(p.List, d)
	}
	s.render(w, p)
}

func (s *Server) documentPage(w http.ResponseWriter, r *http.Request) {
	d, ok := s.shown(w, r.PathValue("id"))
	if ok {
		s.render(w, page{Notice: Notice, One: &d})
	}
}

func (s *Server) render(w http.ResponseWriter, p page) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := pages.Execute(w, p); err != nil {
		s.log.Error("sandbox page failed", "error", err)
	}
}

// shown loads a document for the page; when it cannot, it has answered already.
func (s *Server) shown(w http.ResponseWriter, id string) (shown, bool) {
	s.mu.Lock()
	l, ok, err := s.store.load("DocumentReference/"+id, 0)
	s.mu.Unlock()
	if err != nil {
		s.log.Error("sandbox page failed", "error", err)
		http.Error(w, "The sandbox could not read this document; its log says why.", http.StatusInternalServerError)
		return shown{}, false
	}
	if !ok {
		http.Error(w, "There is no such document in the sandbox EHR.", http.StatusNotFound)
		return shown{}, false
	}
	return show(l), true
}

func show(l line) shown {
	var d document
	_ = json.Unmarshal(l.Resource, &d) // it was checked when it came
	v := shown{ID: l.ID, Received: l.At.UTC(), Version: l.Version, Patient: label(d.Subject), Status: d.Status}
	if d.DocStatus != "" {
		v.Status += ", " + d.DocStatus
	}
	if len(d.Identifier) > 0 {
		v.Identifier = d.Identifier[0].Value
	}
	if d.Type != nil && len(d.Type.Coding) > 0 {
		v.Code = d.Type.Coding[0].Code
		v.Title = d.Type.Coding[0].Display
	}
	if len(d.Author) > 0 {
		v.Author = label(d.Author[0])
	}
	if d.Authenticator != nil {
		v.Signer = label(*d.Authenticator)
	}
	if len(d.Context.Encounter) > 0 {
		v.Encounter = label(d.Context.Encounter[0])
	}
	for _, r := range d.RelatesTo {
		v.Relation = strings.TrimPrefix(v.Relation+", "+r.Code+" "+r.Target.Reference, ", ")
	}
	if len(d.Content) > 0 {
		a := d.Content[0].Attachment
		if a.Title != "" {
			v.Title = a.Title
		}
		body, err := base64.StdEncoding.DecodeString(a.Data)
		v.Size = len(body)
		v.IsText = err == nil && strings.HasPrefix(a.ContentType, "text/plain")
		if v.IsText {
			v.Text = string(body)
		}
	}
	return v
}

func label(r reference) string {
	if r.Display == "" {
		return r.Reference
	}
	return r.Display
}

func (s *Server) stylesheet(w http.ResponseWriter, _ *http.Request) {
	css, err := assets.ReadFile("sandbox.css")
	if err != nil {
		http.NotFound(w, nil)
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(css)
}
