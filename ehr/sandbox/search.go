package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Page sizes of a search.
const (
	defaultCount = 50
	maxCount     = 200
)

// search answers with a Bundle, newest first. Parameters it does not know are refused, not ignored: a client that
// searches for one note must never be handed all of them.
func (s *Server) search(w http.ResponseWriter, r *http.Request) error {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return refuse(http.StatusBadRequest, "structure", "The query cannot be read.")
	}
	count, offset, err := window(q)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ids, err := s.filter(q)
	if err != nil {
		return err
	}
	entries := []any{}
	for _, id := range ids[min(offset, len(ids)):min(offset+count, len(ids))] {
		l, _, err := s.store.load("DocumentReference/"+id, 0)
		if err != nil {
			return err
		}
		entries = append(entries, map[string]any{
			"fullUrl": s.base(r) + "/DocumentReference/" + id, "resource": l.Resource,
			"search": map[string]any{"mode": "match"},
		})
	}
	bundle := map[string]any{
		"resourceType": "Bundle", "type": "searchset", "total": len(ids),
		"link": s.links(r, q, offset, count, len(ids)),
	}
	if len(entries) > 0 { // FHIR forbids empty arrays
		bundle["entry"] = entries
	}
	s.write(w, http.StatusOK, bundle)
	return nil
}

func (s *Server) links(r *http.Request, q url.Values, offset, count, total int) []any {
	at := s.base(r) + "/DocumentReference?"
	links := []any{map[string]any{"relation": "self", "url": at + q.Encode()}}
	if offset+count < total {
		q.Set("_offset", strconv.Itoa(offset+count))
		links = append(links, map[string]any{"relation": "next", "url": at + q.Encode()})
	}
	return links
}

func window(q url.Values) (count, offset int, err error) {
	count = defaultCount
	if v := q.Get("_count"); v != "" {
		if count, err = strconv.Atoi(v); err != nil || count < 1 {
			return 0, 0, refuse(http.StatusBadRequest, "value", "_count must be a positive number.")
		}
	}
	if v := q.Get("_offset"); v != "" {
		if offset, err = strconv.Atoi(v); err != nil || offset < 0 {
			return 0, 0, refuse(http.StatusBadRequest, "value", "_offset must be a number.")
		}
	}
	return min(count, maxCount), offset, nil
}

// filter returns the ids of the documents that match every parameter, newest first.
func (s *Server) filter(q url.Values) ([]string, error) {
	ids := slices.Clone(s.store.documents)
	slices.Reverse(ids)
	for name, values := range q {
		for _, v := range values {
			keep, err := s.match(name, v)
			if err != nil {
				return nil, err
			}
			ids = slices.DeleteFunc(ids, func(id string) bool { return !keep(id) })
		}
	}
	return ids, nil
}

func (s *Server) match(name, value string) (func(id string) bool, error) {
	switch name {
	case "_count", "_offset", "_format":
		return func(string) bool { return true }, nil
	case "_id":
		return func(id string) bool { return slices.Contains(strings.Split(value, ","), id) }, nil
	case "identifier":
		if !strings.Contains(value, "|") {
			return nil, refuse(http.StatusBadRequest, "not-supported", "identifier must be system|value.")
		}
		found := s.store.byIdentifier[value]
		return func(id string) bool { return slices.Contains(found, id) }, nil
	case "patient", "subject":
		want := "Patient/" + strings.TrimPrefix(value, "Patient/")
		return func(id string) bool { return s.store.resources["DocumentReference/"+id].subject == want }, nil
	default:
		return nil, refuse(http.StatusBadRequest, "not-supported", "The sandbox does not know a search parameter of this query.")
	}
}
