package nemesis_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"time"

	"vesper/bench/nemesis"
)

// note is the part of the API's answers that people read.
type note struct {
	State       string  `json:"state"`
	Parent      *string `json:"parent"`
	Preview     string  `json:"preview"`
	ContentHash string  `json:"content_hash"`
	Version     struct {
		Number   int `json:"number"`
		Document struct {
			Sections []struct {
				Key  string `json:"key"`
				Runs []struct {
					Text string `json:"text"`
				} `json:"runs"`
			} `json:"sections"`
			Flags []struct {
				ID      string  `json:"id"`
				Settled *settle `json:"settled"`
			} `json:"flags"`
		} `json:"document"`
	} `json:"version"`
	Deliveries []struct {
		State string `json:"state"`
	} `json:"deliveries"`
}

type settle struct{}

type section struct {
	Key  string `json:"key"`
	Text string `json:"text"`
}

// blank is the mark of speech that nobody could hear; the editor hears it.
var blank = regexp.MustCompile(`\[blank [^\]]*\]`)

// editor claims, hears, corrects, settles and sends, until ctx ends.
func (u *user) editor(ctx context.Context) {
	for ctx.Err() == nil {
		var list cards
		if u.call(ctx, "list", "", http.MethodGet, "/api/v1/dictations?queue=editor&limit=10", nil, &list) == nil && len(list.Items) > 0 {
			u.review(ctx, list.Items[u.rng.IntN(min(3, len(list.Items)))].ID)
		}
		u.rest(ctx, 300*time.Millisecond)
	}
}

func (u *user) review(ctx context.Context, id string) {
	path := "/api/v1/dictations/" + id
	if u.call(ctx, nemesis.ClaimNote, id, http.MethodPost, path+"/claim", map[string]string{}, nil) != nil {
		return
	}
	if u.rng.IntN(15) == 0 {
		_ = u.call(ctx, nemesis.Release, id, http.MethodPost, path+"/release", nil, nil)
		return
	}
	for range 20 { // the claim is the own one; what broke down is done again
		sent, err := u.revise(ctx, id, path)
		if sent || ctx.Err() != nil {
			return
		}
		if err != nil {
			u.rest(ctx, 300*time.Millisecond)
			var n note
			if u.call(ctx, "open", id, http.MethodGet, path, nil, &n) == nil && n.State != "in_review" {
				return // it was sent after all
			}
		}
	}
}

// revise corrects the text, settles what is open and sends the note.
func (u *user) revise(ctx context.Context, id, path string) (sent bool, err error) {
	var n note
	if err := u.call(ctx, "open", id, http.MethodGet, path, nil, &n); err != nil {
		return false, err
	}
	at, err := u.write(ctx, nemesis.Save, id, http.MethodPut, path+"/note", map[string]any{"base": n.Version.Number, "sections": corrected(n)})
	if err != nil {
		return false, err
	}
	if err := u.call(ctx, "open", id, http.MethodGet, path, nil, &n); err != nil {
		return false, err
	}
	for _, f := range n.Version.Document.Flags {
		if f.Settled != nil {
			continue
		}
		next, err := u.write(ctx, nemesis.Settle, id, http.MethodPost, path+"/flags/"+f.ID+"/settle", map[string]any{"base": at, "how": "heard as written"})
		if err != nil {
			return false, err
		}
		at = next
	}
	err = u.call(ctx, nemesis.Send, id, http.MethodPost, path+"/send", map[string]any{"version": at}, nil)
	return err == nil, err
}

// write makes a version and notes which.
func (u *user) write(ctx context.Context, kind, id, method, path string, in any) (int, error) {
	var made struct {
		Number      int    `json:"number"`
		ContentHash string `json:"content_hash"`
	}
	err := u.try(ctx, nemesis.Op{Kind: kind, Dictation: id}, func(ctx context.Context, a *api, op *nemesis.Op) error {
		err := a.do(ctx, method, path, in, &made)
		op.Version, op.Hash = made.Number, made.ContentHash
		return err
	})
	return made.Number, err
}

// corrected is the note's text with its blanks filled and a remark at the end.
func corrected(n note) []section {
	var out []section
	last := 0
	for i, s := range n.Version.Document.Sections {
		var text strings.Builder
		for _, r := range s.Runs {
			text.WriteString(r.Text)
		}
		if text.Len() > 0 {
			last = i
		}
		out = append(out, section{s.Key, blank.ReplaceAllString(text.String(), "as before")})
	}
	if len(out) > 0 {
		out[last].Text = strings.TrimSpace(out[last].Text + " Reviewed against the recording.")
	}
	return out
}

// supervisor orders again what waits for a person: failed dictations, and notes that did not get into the EHR.
func (u *user) supervisor(ctx context.Context) {
	order := func(id string) {
		_ = u.call(ctx, nemesis.Retry, id, http.MethodPost, "/api/v1/dictations/"+id+"/retry", map[string]string{"reason": "The service is back."}, nil)
	}
	for ctx.Err() == nil {
		var list cards
		if u.call(ctx, "list", "", http.MethodGet, "/api/v1/dictations?limit=50&state=failed,signed", nil, &list) == nil {
			for _, c := range list.Items {
				if c.State == "failed" || u.undelivered(ctx, c.ID) {
					order(c.ID)
				}
			}
		}
		u.rest(ctx, 2*time.Second)
	}
}

// undelivered reports whether the EHR refused a note, so that a person must look.
func (u *user) undelivered(ctx context.Context, id string) bool {
	var n note
	if u.call(ctx, "open", id, http.MethodGet, "/api/v1/dictations/"+id, nil, &n) != nil {
		return false
	}
	for _, d := range n.Deliveries {
		if d.State == "rejected" {
			return true
		}
	}
	return false
}
