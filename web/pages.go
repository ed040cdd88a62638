package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"vesper/internal/fault"
	"vesper/web/pages"
	"vesper/web/static"
)

// pagesHandler builds what people see. A binary that was built without its bundles serves the API all the same and says
// at the door what is missing.
func (s *Server) pagesHandler() (http.Handler, error) {
	if s.cfg.Pages != nil {
		return s.cfg.Pages, nil
	}
	assets, err := static.Open()
	if fault.As(err) != nil && fault.As(err).Code == "ui_not_built" {
		s.log.Warn("serving the API only", "err", err)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fail(w, r, s.log, err) }), nil
	}
	if err != nil {
		return nil, fmt.Errorf("open the bundles: %w", err)
	}
	h, err := pages.New(pages.Config{
		Service: s.svc, Actor: Actor, Nonce: Nonce, Assets: assets, Idle: s.cfg.IdleTimeout, Queues: s.cfg.Queues != nil, Log: s.log,
	})
	if err != nil {
		return nil, fmt.Errorf("build the pages: %w", err)
	}
	return h, nil
}

// mountPages puts the pages behind all that the API does not take, and the two forms that work without scripts.
func (s *Server) mountPages() error {
	h, err := s.pagesHandler()
	if err != nil {
		return err
	}
	s.mux.Handle("/", h)
	s.mux.HandleFunc("POST /login", s.postLogin)
	s.mux.HandleFunc("POST /logout", s.postLogout)
	return nil
}

// postLogin is signing in with the plain form. A failure goes back to the form with the problem's code; the login and
// the password travel in neither direction.
func (s *Server) postLogin(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	if err := r.ParseForm(); err != nil {
		fail(w, r, s.log, bodyFault(err, 16<<10))
		return
	}
	_, _, err := s.signIn(r.Context(), w, r, r.PostForm.Get("login"), r.PostForm.Get("password"))
	if err != nil {
		p := problem(r.Context(), err)
		logCause(r.Context(), s.log, p, err)
		http.Redirect(w, r, "/login?"+url.Values{"problem": {p.Code}, "next": {localPath(r.PostForm.Get("next"))}}.Encode(), http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, localPath(r.PostForm.Get("next")), http.StatusSeeOther)
}

func (s *Server) postLogout(w http.ResponseWriter, r *http.Request) {
	if a, ok := Actor(r); ok {
		if err := s.signOut(r.Context(), w, a); err != nil {
			fail(w, r, s.log, err)
			return
		}
	}
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// localPath keeps a redirect on this site.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n") {
		return "/"
	}
	return next
}
