package nemesis_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"time"

	"vesper/bench/nemesis"
)

// patience is how long a client waits for an answer before it asks elsewhere.
const patience = 15 * time.Second

// refusal is a problem document.
type refusal struct {
	status int
	code   string
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s", r.status, r.code) }

// api is one web server as one person sees it.
type api struct {
	name, base string
	http       *http.Client
}

func (a *api) do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	resp, err := a.raw(ctx, method, path, http.Header{"Content-Type": {"application/json"}}, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

// raw returns the answer if it is a good one.
func (a *api) raw(ctx context.Context, method, path string, h http.Header, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, body)
	if err != nil {
		return nil, err
	}
	for k, v := range h {
		req.Header[k] = v
	}
	resp, err := a.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	r := &refusal{status: resp.StatusCode}
	var problem struct {
		Code string `json:"code"`
	}
	if json.NewDecoder(resp.Body).Decode(&problem) == nil {
		r.code = problem.Code
	}
	return nil, r
}

// user is one person with a browser: one session, good at each web server.
type user struct {
	p               *practice
	login, password string
	rng             *rand.Rand
	apis            []*api
	at              int
}

// person signs nobody in yet: the first refusal does.
func (p *practice) person(login string, seed uint64) *user {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // cannot happen without options
	}
	u := &user{p: p, login: login, password: p.people[login], rng: rand.New(rand.NewPCG(seed, uint64(len(login))))}
	for i, base := range p.fronts {
		// Each person has connections of their own.
		u.apis = append(u.apis, &api{p.serves[i].name, base, &http.Client{Jar: jar, Transport: &http.Transport{MaxIdleConnsPerHost: 2, IdleConnTimeout: 10 * time.Second}}})
	}
	if err := u.signIn(p.t.Context(), u.front()); err != nil {
		p.t.Fatalf("sign in %s: %v", login, err)
	}
	p.t.Cleanup(func() {
		for _, a := range u.apis {
			a.http.CloseIdleConnections()
		}
	})
	return u
}

func (u *user) front() *api { return u.apis[u.at%len(u.apis)] }

func (u *user) signIn(ctx context.Context, a *api) error {
	return a.do(ctx, http.MethodPost, "/api/v1/session", map[string]string{"login": u.login, "password": u.password}, nil)
}

// try does one thing once and records it. After trouble the next try goes to the other server. A session that ended is
// opened again; the thing itself is then tried again by whoever wants it done.
func (u *user) try(ctx context.Context, op nemesis.Op, fn func(context.Context, *api, *nemesis.Op) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	a := u.front()
	op.ID, op.Who, op.Server, op.Start = u.p.history.Number(), u.login, a.name, time.Now()
	err := fn(ctx, a, &op)
	op.End = time.Now()
	op.Outcome, op.Code = judge(err)
	u.p.history.Did(op)
	var r *refusal
	switch {
	case err == nil:
	case errors.As(err, &r) && r.status == http.StatusUnauthorized:
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		_ = u.signIn(ctx, a) // if not now, then after the next refusal
	case op.Outcome == nemesis.Unknown:
		u.at++
	}
	return err
}

// judge says what a client knows after an answer. Trouble on the server's side says nothing about what was done.
func judge(err error) (nemesis.Outcome, string) {
	var r *refusal
	switch {
	case err == nil:
		return nemesis.OK, ""
	case errors.As(err, &r) && r.status < 500:
		return nemesis.Fail, r.code
	case errors.As(err, &r):
		return nemesis.Unknown, r.code
	default:
		return nemesis.Unknown, "no answer"
	}
}

// call is try for a plain exchange of JSON.
func (u *user) call(ctx context.Context, kind, dictation, method, path string, in, out any) error {
	return u.try(ctx, nemesis.Op{Kind: kind, Dictation: dictation}, func(ctx context.Context, a *api, _ *nemesis.Op) error {
		return a.do(ctx, method, path, in, out)
	})
}

// rest waits a little, or until ctx ends.
func (u *user) rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d/2 + time.Duration(u.rng.Int64N(int64(d))))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
