package web

import (
	"context"
	"net/http"
	"time"

	"vesper/internal/fault"
)

// mountHealth answers probes: healthz says that the process runs, readyz that the services behind it can be reached.
func (s *Server) mountHealth() {
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"status":"up"}` + "\n"))
	})
	s.mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
		defer cancel()
		if err := s.cfg.Ready(ctx); err != nil {
			fail(w, r, s.log, fault.Wrap(err, fault.Unavailable, "not_ready", "A service that Vesper needs cannot be reached. Run `vesper doctor` to see which."))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"status":"ready"}` + "\n"))
	})
}
