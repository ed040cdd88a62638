package web

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"vesper/internal/fault"
)

// policy is the Content-Security-Policy: nothing from elsewhere, no inline script or style without this request's nonce.
// blob: is for recordings that are heard before they are sent.
func policy(nonce string) string {
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'nonce-" + nonce + "' 'strict-dynamic'",
		"style-src 'self' 'nonce-" + nonce + "'",
		"img-src 'self' data: blob:",
		"media-src 'self' blob:",
		"font-src 'self'",
		"connect-src 'self' blob:",
		"worker-src 'self' blob:",
		"manifest-src 'self'",
		"form-action 'self'",
		"base-uri 'none'",
		"object-src 'none'",
		"frame-ancestors 'none'",
	}, "; ")
}

// secureHeaders sets what every answer carries. Nothing may be stored on the way but the static files, which set their
// own Cache-Control.
func secureHeaders(secure bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy(of(r.Context()).nonce))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "microphone=(self), camera=(), geolocation=(), payment=(), usb=()")
		if secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// sameOrigin refuses requests that another site makes a browser send. It needs no token because browsers say where a
// request comes from; requests that are not from a browser pass and need the cookie like all others. base is the address
// that people use: its origin counts as ours even behind a proxy that changes the Host header.
func sameOrigin(base string, log *slog.Logger, next http.Handler) http.Handler {
	p := http.NewCrossOriginProtection()
	if u, err := url.Parse(base); err == nil && u.Host != "" {
		if err := p.AddTrustedOrigin(u.Scheme + "://" + u.Host); err != nil {
			log.Warn("the public address is no origin", "err", err)
		}
	}
	p.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fail(w, r, log, fault.New(fault.Forbidden, "cross_origin", "This request came from another site and was refused. Open Vesper itself and try again."))
	}))
	return p.Handler(next)
}
