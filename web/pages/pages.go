// Package pages is what people see: one handler per page, rendered on the server with html/template. What moves on a page
// (recorder, editor, player) is an island of TypeScript that talks to the JSON API; a page works as far as it can without.
package pages

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/notes/templates"
	"vesper/pipeline"
	"vesper/pipeline/keeping"
)

//go:embed templates/*.html
var files embed.FS

// Service is what the pages ask of the pipeline. Every method decides access and writes its audit event itself.
type Service interface {
	Cards(ctx context.Context, actor access.Actor, f pipeline.Filter) ([]pipeline.Card, error)
	Attention(ctx context.Context, actor access.Actor) ([]pipeline.Card, error)
	Counts(ctx context.Context, actor access.Actor) (map[pipeline.State]int, error)
	Card(ctx context.Context, actor access.Actor, id uuid.UUID) (pipeline.Card, error)
	Queue(ctx context.Context, actor access.Actor) (pipeline.QueueState, error)
	Detail(ctx context.Context, actor access.Actor, id uuid.UUID) (pipeline.Detail, error)
	SignaturePreview(ctx context.Context, actor access.Actor, id uuid.UUID) (pipeline.SignaturePreview, error)
	History(ctx context.Context, actor access.Actor, id uuid.UUID) (pipeline.History, error)
	AuditTrail(ctx context.Context, actor access.Actor, before time.Time, limit int) ([]pipeline.Event, error)
	People(ctx context.Context, actor access.Actor, role string) ([]pipeline.Person, error)
	Encounters(ctx context.Context, actor access.Actor, author uuid.UUID) ([]pipeline.Encounter, error)
	Terms(ctx context.Context, actor access.Actor, author *uuid.UUID) ([]pipeline.VocabularyTerm, error)
	TextBlocks(ctx context.Context, actor access.Actor) ([]pipeline.TextBlock, error)
	Learning(ctx context.Context, actor access.Actor, author uuid.UUID) (pipeline.Learning, error)
	WorkTypes() []templates.Template
	Kept(ctx context.Context, actor access.Actor) (pipeline.Kept, error)
	Retention(ctx context.Context, actor access.Actor) (pipeline.Retention, error)
	Tombstones(ctx context.Context, actor access.Actor, before time.Time) ([]pipeline.Tombstone, error)
	Holds(ctx context.Context, actor access.Actor) ([]keeping.Hold, error)
	TurnaroundPlan(ctx context.Context, actor access.Actor) (pipeline.StoredPlan, error)
	TurnaroundReport(ctx context.Context, actor access.Actor, from, to time.Time) (pipeline.TurnaroundReport, error)
	Escalations(ctx context.Context, actor access.Actor) (pipeline.Escalating, error)
	Notices(ctx context.Context, actor access.Actor) ([]pipeline.Notice, error)
	UnreadNotices(ctx context.Context, actor access.Actor) (int, error)
	NoticeSettings(ctx context.Context, actor access.Actor) (pipeline.NoticeSettings, error)
}

// Assets gives the addresses of bundles.
type Assets interface {
	URL(name string) string
	http.Handler
}

// Config is what the pages need; all fields are required but Now.
type Config struct {
	Service Service
	Actor   func(*http.Request) (access.Actor, bool) // who is signed in
	Nonce   func(*http.Request) string               // of this answer's content security policy
	Assets  Assets
	Idle    time.Duration // automatic log-off, told to the page so that it can warn
	Queues  bool          // the work queue's own pages are at /operations/queues/
	Log     *slog.Logger
	Now     func() time.Time // may be nil
}

// site is the pages with their parsed templates.
type site struct {
	Config
	views map[string]*template.Template
}

// New parses the templates and returns the handler of all pages and of /static/.
func New(c Config) (http.Handler, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &site{Config: c, views: map[string]*template.Template{}}
	if err := s.parse(); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /static/", c.Assets)
	mux.HandleFunc("GET /login", s.login)
	for path, p := range s.pages() {
		mux.HandleFunc("GET "+path, s.guarded(p))
	}
	return mux, nil
}

// page builds one page for a signed-in person; its data goes to the template of that name.
type page struct {
	view  string
	nav   string // which entry of the navigation is current
	roles []access.Role
	data  func(r *http.Request, actor access.Actor) (data any, title string, err error)
}

// guarded sends strangers to the login and refuses roles that have no business on the page.
func (s *site) guarded(p page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		actor, ok := s.Actor(r)
		if !ok {
			http.Redirect(w, r, "/login?next="+template.URLQueryEscaper(r.URL.Path), http.StatusSeeOther)
			return
		}
		if !permits(p.roles, actor.Role) {
			s.fail(w, r, &actor, fault.New(fault.Forbidden, "forbidden", "This page is not for your role."))
			return
		}
		data, title, err := p.data(r, actor)
		if err != nil {
			s.fail(w, r, &actor, err)
			return
		}
		if to, ok := data.(redirect); ok {
			http.Redirect(w, r, string(to), http.StatusSeeOther)
			return
		}
		s.render(w, r, http.StatusOK, p.view, layout{Title: title, Nav: p.nav, Actor: &actor, Data: data})
	}
}

// redirect as a page's data sends the browser elsewhere.
type redirect string

func permits(roles []access.Role, role access.Role) bool {
	if len(roles) == 0 {
		return true
	}
	for _, r := range roles {
		if r == role {
			return true
		}
	}
	return false
}

// layout is what every page is given.
type layout struct {
	Title string
	Nav   string
	Actor *access.Actor
	Menu  []entry
	Nonce string
	Idle  int // seconds
	Now   time.Time
	Data  any

	Unread int // notifications
}

func (s *site) render(w http.ResponseWriter, r *http.Request, status int, view string, l layout) {
	l.Nonce, l.Idle, l.Now = s.Nonce(r), int(s.Idle.Seconds()), s.Now()
	if l.Actor != nil {
		l.Menu = menu(l.Actor.Role)
		n, err := s.Service.UnreadNotices(r.Context(), *l.Actor)
		if err != nil { // the page is more than its bell
			s.Log.WarnContext(r.Context(), "count notifications", "err", err)
		}
		l.Unread = n
	}
	var out bytes.Buffer // rendered whole before the first byte leaves: no half pages
	if err := s.views[view].ExecuteTemplate(&out, "layout", l); err != nil {
		s.Log.ErrorContext(r.Context(), "render page", "view", view, "err", err)
		http.Error(w, "Something went wrong on our side. Nothing was lost; try again.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if _, err := out.WriteTo(w); err != nil {
		s.Log.DebugContext(r.Context(), "write page", "err", err)
	}
}

// fail shows an error page with the fault's public text.
func (s *site) fail(w http.ResponseWriter, r *http.Request, actor *access.Actor, err error) {
	f := fault.As(err)
	status, ok := map[fault.Kind]int{
		fault.Invalid: http.StatusBadRequest, fault.Forbidden: http.StatusForbidden, fault.NotFound: http.StatusNotFound,
		fault.Conflict: http.StatusConflict, fault.Unavailable: http.StatusServiceUnavailable,
	}[f.Kind]
	if !ok {
		status = http.StatusInternalServerError
		s.Log.ErrorContext(r.Context(), "page failed", "path", r.Pattern, "err", err)
	}
	s.render(w, r, status, "error", layout{Title: http.StatusText(status), Actor: actor, Data: f})
}

func (s *site) login(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.Actor(r); ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	q := r.URL.Query()
	s.render(w, r, http.StatusOK, "login", layout{Title: "Log in", Data: loginData{localPath(q.Get("next")), loginProblem(q.Get("problem"))}})
}

type loginData struct{ Next, Problem string }

// loginProblem says why somebody is at the login, or back at it. The address can only choose among these texts.
func loginProblem(code string) string {
	switch code {
	case "":
		return ""
	case "idle":
		return "You were logged off because nothing was done for a while."
	case "session_ended":
		return "Your session has ended. Log in again; what you wrote is kept on this device."
	case "login_wrong":
		return "Login or password is not right."
	case "rate_limited":
		return "Too many attempts. Wait a minute, then try again."
	default:
		return "Logging in did not work. Try again."
	}
}

// localPath keeps a redirect target on this site.
func localPath(next string) string {
	if len(next) < 2 || next[0] != '/' || next[1] == '/' || next[1] == '\\' {
		return "/"
	}
	return next
}
