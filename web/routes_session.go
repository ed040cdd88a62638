package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/pipeline"
)

// sessionView is who is signed in and until when.
type sessionView struct {
	ID         uuid.UUID `json:"id"`
	Name       string    `json:"name"`
	Role       string    `json:"role" enum:"physician,editor,supervisor,compliance,admin"`
	Credential string    `json:"credential"`
	PracticeID uuid.UUID `json:"practice_id"`
	ExpiresAt  time.Time `json:"expires_at" doc:"The session ends then unless something is done before"`
}

type sessionOutput struct {
	Body sessionView
}

type loginInput struct {
	Body struct {
		Login    string `json:"login" minLength:"1" maxLength:"200"`
		Password string `json:"password" minLength:"1" maxLength:"1000"`
	}
}

func (s *Server) mountSession() {
	in := operation(http.MethodPost, "/v1/session", "session", "sign-in", "Sign in")
	in.MaxBodyBytes = 16 << 10
	in.Middlewares = huma.Middlewares{s.withPlain}
	open(s, in, s.postSession)
	add(s, operation(http.MethodGet, "/v1/session", "session", "who-am-i", "Who is signed in, and until when"), s.getSession)
	out := operation(http.MethodDelete, "/v1/session", "session", "sign-out", "Sign out")
	out.DefaultStatus = http.StatusNoContent
	out.Middlewares = huma.Middlewares{s.withPlain}
	add(s, out, s.deleteSession)
}

func (s *Server) postSession(ctx context.Context, in *loginInput) (*sessionOutput, error) {
	w, r := plain(ctx)
	p, expires, err := s.signIn(ctx, w, r, in.Body.Login, in.Body.Password)
	if err != nil {
		return nil, err
	}
	return &sessionOutput{viewSession(p.Actor(), expires)}, nil
}

// signIn checks the password and opens a session. Wrong attempts are counted per login and address, per address, and
// (loosely, so that nobody can lock a physician out) per login; right ones are not.
func (s *Server) signIn(ctx context.Context, w http.ResponseWriter, r *http.Request, login, password string) (pipeline.Person, time.Time, error) {
	name := strings.ToLower(strings.TrimSpace(login))
	ip := clientIP(r, s.cfg.BehindProxy)
	giveBack, err := gate{
		{s.attempts.address, ip}, {s.attempts.login, name}, {s.attempts.pair, name + "\x00" + ip},
	}.pass()
	if err != nil {
		return pipeline.Person{}, time.Time{}, err
	}
	p, err := s.checkLogin(ctx, login, password)
	if err != nil {
		if fault.KindOf(err) != fault.Unauthenticated {
			giveBack() // a service was down; nobody guessed
		}
		return p, time.Time{}, err
	}
	giveBack()
	expires, err := s.sessions.begin(ctx, w, p)
	return p, expires, err
}

// checkLogin bounds how many passwords are hashed at once: each takes 19 MiB.
func (s *Server) checkLogin(ctx context.Context, login, password string) (pipeline.Person, error) {
	select {
	case s.hashing <- struct{}{}:
		defer func() { <-s.hashing }()
	case <-ctx.Done():
		return pipeline.Person{}, ctx.Err()
	}
	return s.svc.Login(ctx, login, password)
}

func (s *Server) getSession(ctx context.Context, a access.Actor, _ *struct{}) (*sessionOutput, error) {
	return &sessionOutput{viewSession(a, s.sessions.expires(ctx))}, nil
}

func viewSession(a access.Actor, expires time.Time) sessionView {
	return sessionView{
		ID: a.ID, Name: a.Name, Role: string(a.Role), Credential: a.Credential, PracticeID: a.PracticeID, ExpiresAt: stamp(expires),
	}
}

func (s *Server) deleteSession(ctx context.Context, a access.Actor, _ *struct{}) (*struct{}, error) {
	w, _ := plain(ctx)
	return nil, s.signOut(ctx, w, a)
}

// signOut ends the session first: a record that cannot be written must not keep a session open.
func (s *Server) signOut(ctx context.Context, w http.ResponseWriter, a access.Actor) error {
	if err := s.sessions.end(ctx); err != nil {
		return err
	}
	s.sessions.forget(ctx, w)
	return s.svc.Logout(ctx, a)
}
