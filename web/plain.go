package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Some described routes need the plain request and writer beneath huma: to set a cookie, or to see the address.

type plainKey struct{}

type plainPair struct {
	w http.ResponseWriter
	r *http.Request
}

// withPlain is a huma middleware that keeps them in the context.
func (s *Server) withPlain(c huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(c)
	next(huma.WithValue(c, plainKey{}, plainPair{w, r}))
}

func plain(ctx context.Context) (http.ResponseWriter, *http.Request) {
	p := ctx.Value(plainKey{}).(plainPair) //nolint:forcetypeassert // set by the only middleware that leads here
	return p.w, p.r
}
