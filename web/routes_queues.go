package web

import (
	"net/http"

	"vesper/internal/access"
)

// QueuePages show the work queue's own state. Handler answers whatever is asked below queuesPath and asks nonce for what
// lets its scripts pass our policy; Page says whether a person opens a path, or an open page asks for a part of itself.
type QueuePages interface {
	Handler(nonce func(*http.Request) string) http.Handler
	Page(path string) bool
}

// queuesPath is where the queue's pages are.
const queuesPath = "/operations/queues"

// mountQueues shows the queue's pages to administrators, for looking only. They hold ids, counts and times: the queue
// knows nothing else. Opening them is on record; what an open page asks for every few seconds is not, and does not keep
// its session alive.
func (s *Server) mountQueues() {
	if s.cfg.Queues == nil {
		return
	}
	s.mux.Handle(queuesPath+"/", s.queues(s.cfg.Queues.Handler(Nonce)))
}

func (s *Server) queues(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor, ok := Actor(r)
		if !ok {
			s.stranger(w, r)
			return
		}
		err := access.Decide(actor, access.Operate, access.Resource{PracticeID: actor.PracticeID})
		if s.cfg.Queues.Page(r.URL.Path) || err != nil {
			err = s.svc.OpenQueues(r.Context(), actor) // decides too, and writes the event of either
		}
		switch {
		case err != nil:
			fail(w, r, s.log, err)
		case r.Method != http.MethodGet:
			w.Header().Set("Allow", http.MethodGet)
			newProblem(r.Context(), http.StatusMethodNotAllowed, "method_not_allowed", "These pages are for looking only.").write(w, r)
		default:
			pages.ServeHTTP(w, r)
		}
	})
}

// stranger sends people to the login, and refuses what pages ask by themselves.
func (s *Server) stranger(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && s.cfg.Queues.Page(r.URL.Path) {
		http.Redirect(w, r, "/login?next="+queuesPath+"/", http.StatusSeeOther)
		return
	}
	fail(w, r, s.log, signedIn(r.Context()))
}
