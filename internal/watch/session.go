package watch

import (
	"context"
	"net/http"
	"sync"
	"time"

	"vesper/internal/client"
	"vesper/internal/fault"
)

// Session is a signed-in account that signs in again when its session has ended. It is safe for concurrent use.
type Session struct {
	API      *client.Client
	Login    string
	Password func() (string, error) // asked anew for each sign-in: the file may hold another one by then

	mu     sync.Mutex
	number int // of sign-ins that succeeded
}

// CodePassword is the code of a fault that no repetition will mend: the account's name or password is wrong.
const CodePassword = "watch_password"

// needsPerson says that signing in will not succeed before somebody has done something about it.
func needsPerson(err error) bool {
	f := fault.As(err)
	return f != nil && (f.Code == CodePassword || f.Code == codeNoPassword || f.Code == "key_unreadable" || f.Code == "key_exposed")
}

// end signs out, so that no session is left behind for nobody.
func (s *Session) end(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.number == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	_ = s.API.Do(ctx, http.MethodDelete, "/api/v1/session", nil, nil) // it ends by itself otherwise
}

// do calls the server, signing in before when that is needed.
func (s *Session) do(ctx context.Context, call func(*client.Client) error) error {
	number, err := s.signIn(ctx, 0)
	if err != nil {
		return err
	}
	err = call(s.API)
	if fault.KindOf(err) != fault.Unauthenticated {
		return err
	}
	if _, err := s.signIn(ctx, number); err != nil {
		return err
	}
	return call(s.API)
}

// signIn signs in unless somebody has done so since the sign-in of the given number.
func (s *Session) signIn(ctx context.Context, ended int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.number > ended {
		return s.number, nil
	}
	password, err := s.Password()
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	_, err = s.API.Login(ctx, s.Login, password)
	if k := fault.KindOf(err); k == fault.Unauthenticated || k == fault.Forbidden {
		return 0, fault.Wrap(err, fault.Unauthenticated, CodePassword,
			"The server does not accept this login and password. It is not tried again, so that nobody is locked out: mend them and start again.")
	}
	if err != nil {
		return 0, err
	}
	s.number++
	return s.number, nil
}
