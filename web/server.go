package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/danielgtaylor/huma/v2"
	"go.opentelemetry.io/otel/trace"
)

// Config is what the server needs. Fields are required unless they say otherwise.
type Config struct {
	Service  Service
	Sessions scs.Store // keeps sessions over restarts; gets hashes of tokens only
	Log      *slog.Logger

	// Ready says whether the services behind are reachable; nil means always.
	Ready func(context.Context) error

	// SpoolDir holds uploads that are under way. It is made with mode 0700. Resumable uploads continue only on a
	// server that has the same folder.
	SpoolDir  string
	MaxUpload int64 // largest recording in bytes; 0 means 2 GiB
	// SpoolLimit is how many bytes may lie in the spool before routine uploads are put off; 0 means no bound but the disk.
	SpoolLimit int64

	// BaseURL is the address that people use. With https the cookie is Secure and named with the __Host- prefix.
	BaseURL       string
	SecureCookies bool          // the same, where no BaseURL is set
	BehindProxy   bool          // a proxy of the house adds X-Forwarded-For
	IdleTimeout   time.Duration // automatic log-off; 0 means 15 minutes
	SessionLength time.Duration // end of a session whatever happens; 0 means 12 hours
	UploadExpiry  time.Duration // unfinished uploads are removed after this; 0 means 7 days
	Uploads       UploadLimits  // how much of them at once
	ListenAfter   time.Duration // age at which an unfinished upload is given to the workers; 0 means 10 seconds
	ListenBytes   int64         // and how much of it must be here; 0 means 128 KiB
	TLS           *tls.Config   // serve TLS with these certificates; nil means plain HTTP

	Queues QueuePages           // the work queue's own pages; may be nil
	Watch  Watch                // is told of each answered request; may be nil
	Traces trace.TracerProvider // makes the spans of requests; may be nil

	// Pages replaces the pages with another handler of everything outside of the API; nil means our own.
	Pages http.Handler
}

// Server is the HTTP side of Vesper.
type Server struct {
	cfg      Config
	svc      Service
	log      *slog.Logger
	mux      *http.ServeMux
	api      huma.API
	sessions *sessions
	uploads  *uploads
	handler  http.Handler

	attempts struct{ pair, address, login, sign, upload *limiter }
	hashing  chan struct{} // one slot for each password that may be hashed at the same time
}

// New checks the configuration and builds the server.
func New(c Config) (*Server, error) {
	if c.Service == nil || c.Sessions == nil || c.Log == nil || c.SpoolDir == "" {
		return nil, errors.New("web server: service, sessions, log and spool folder are required")
	}
	c.defaults()
	if err := os.MkdirAll(c.SpoolDir, 0o700); err != nil {
		return nil, fmt.Errorf("make spool folder: %w", err)
	}
	s := &Server{cfg: c, svc: c.Service, log: c.Log, mux: http.NewServeMux()}
	s.sessions = newSessions(c.Sessions, c.Service, c.IdleTimeout, c.SessionLength, c.SecureCookies, c.Log)
	s.attempts.pair = newLimiter(5, 30*time.Second, 10_000)
	s.attempts.address = newLimiter(30, 2*time.Second, 10_000)
	s.attempts.login = newLimiter(100, 6*time.Second, 10_000)
	s.attempts.sign = newLimiter(5, 30*time.Second, 10_000)
	s.attempts.upload = newLimiter(c.Uploads.orDefaults(c.MaxUpload).Starts, 500*time.Millisecond, 10_000)
	s.hashing = make(chan struct{}, max(2, runtime.NumCPU()))
	var err error
	if s.uploads, err = newUploads(s, c); err != nil {
		return nil, err
	}
	return s, s.mount()
}

func (c *Config) defaults() {
	if c.MaxUpload <= 0 {
		c.MaxUpload = 2 << 30
	}
	if c.IdleTimeout <= 0 {
		c.IdleTimeout = 15 * time.Minute
	}
	if c.SessionLength <= 0 {
		c.SessionLength = 12 * time.Hour
	}
	if c.UploadExpiry <= 0 {
		c.UploadExpiry = 7 * 24 * time.Hour
	}
	if strings.HasPrefix(strings.ToLower(c.BaseURL), "https://") || c.TLS != nil {
		c.SecureCookies = true
	}
	if c.Ready == nil {
		c.Ready = func(context.Context) error { return nil }
	}
}

// mount lays the routes and the layers around them.
func (s *Server) mount() error {
	s.api = newAPI(s.mux, s.sessions.scs.Cookie.Name)
	s.mountSession()
	s.mountDictations()
	s.mountUploads()
	s.mountReview()
	s.mountQueue()
	s.mountSigning()
	s.mountRegistry()
	s.mountPeople()
	s.mountTerms()
	s.mountLanguage()
	s.mountBlocks()
	s.mountCorrections()
	s.mountTurnaround()
	s.mountNotices()
	s.mountAudit()
	s.mountKeeping()
	s.mountHealth()
	s.mountQueues()
	if err := s.serveDescription(); err != nil {
		return fmt.Errorf("describe the API: %w", err)
	}
	s.mux.HandleFunc("/api/", s.unknown)
	if err := s.mountPages(); err != nil {
		return err
	}
	h := route(s.mux)
	h = s.withSession(h)
	h = sameOrigin(s.cfg.BaseURL, s.log, h)
	h = secureHeaders(s.cfg.SecureCookies, h)
	s.handler = observe(s.log, watching{s.cfg.Watch, s.cfg.Traces}, h)
	return nil
}

// withSession finds out who asks, except where the answer does not depend on it.
func (s *Server) withSession(next http.Handler) http.Handler {
	loaded := s.sessions.load(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch p := r.URL.Path; {
		case p == "/healthz" || p == "/readyz" || p == "/api/openapi.json" || strings.HasPrefix(p, "/static/"):
			next.ServeHTTP(w, r)
		default:
			loaded.ServeHTTP(w, r)
		}
	})
}

// Handler is the whole server as one handler.
func (s *Server) Handler() http.Handler { return s.handler }

// Serve answers on the listener until ctx ends, then lets running requests finish for a while. It also cleans the
// folder of uploads. It returns nil after an orderly end.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler: s.handler, TLSConfig: s.cfg.TLS, MaxHeaderBytes: 64 << 10,
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	cleaning, stop := context.WithCancel(ctx)
	defer stop()
	go s.uploads.clean(cleaning, time.Hour)
	done := make(chan error, 1)
	go func() {
		if s.cfg.TLS != nil {
			done <- srv.ServeTLS(l, "", "")
		} else {
			done <- srv.Serve(l)
		}
	}()
	select {
	case err := <-done:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	return s.shutdown(srv)
}

// grace is how long running requests may take to finish when the server stops. What is cut then is resumed by its client.
const grace = 20 * time.Second

func (s *Server) shutdown(srv *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := srv.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn("requests were cut at shutdown")
		err = srv.Close()
	}
	s.uploads.wait(ctx)
	return err
}
