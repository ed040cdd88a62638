package nemesis_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"

	"vesper/bench/nemesis"
)

// outstanding is how many recordings of one physician may wait for their draft before the next is spoken: the practice
// never runs far ahead of its workers, so that a run ends soon after its last fault.
const outstanding = 3

type card struct {
	ID         string `json:"id"`
	State      string `json:"state"`
	DictatedBy struct {
		Name string `json:"name"`
	} `json:"author"`
}

type cards struct {
	Items []card `json:"items"`
}

// physician dictates until open ends, then signs until ctx ends. Each recording is kept until its receipt.
func (u *user) physician(ctx, open context.Context, pcm []byte) {
	for n := 0; ctx.Err() == nil; n++ {
		if open.Err() == nil && u.waiting(ctx) < outstanding {
			u.dictate(ctx, record(pcm, fmt.Sprintf("%s-%d", u.login, n), u.rng.IntN(len(pcm)-2*7*rate), 2*rate*(3+u.rng.IntN(4)), n))
		}
		u.signAll(ctx)
		u.rest(ctx, 400*time.Millisecond)
	}
}

// waiting is how many of the own recordings have no draft yet.
func (u *user) waiting(ctx context.Context) int {
	var list cards
	if u.call(ctx, "list", "", http.MethodGet, "/api/v1/dictations?author=me&limit=50&state=received,queued,transcribed", nil, &list) != nil {
		return outstanding
	}
	return len(list.Items)
}

// dictate uploads a recording until it is received, now in one piece, now in several; some uploads are broken off, and some
// are sent once more after the receipt.
func (u *user) dictate(ctx context.Context, r recording) {
	for ctx.Err() == nil {
		var err error
		if u.rng.IntN(2) == 0 {
			err = u.uploadWhole(ctx, r)
		} else {
			err = u.uploadInPieces(ctx, r)
		}
		var refused *refusal
		switch {
		case err == nil && u.rng.IntN(5) == 0:
			_ = u.uploadWhole(ctx, r) // a doubled click: the same dictation is the answer
			return
		case err == nil:
			return
		case errors.As(err, &refused) && (refused.status == http.StatusUnprocessableEntity || refused.status == http.StatusUnsupportedMediaType):
			u.p.t.Errorf("a good recording was refused: %v", err)
			return
		}
		u.rest(ctx, 300*time.Millisecond)
	}
}

// meta goes with a recording.
func (u *user) meta(r recording) map[string]string {
	m := map[string]string{"client_key": r.key, "work_type": "progress", "patient": fmt.Sprintf("M-%d", len(r.key)%20), "priority": "routine"}
	if strings.HasSuffix(r.key, "7") {
		m["priority"] = "stat"
	}
	return m
}

type receipt struct {
	ID     string `json:"id"`
	SHA256 string `json:"sha256"`
}

func (u *user) uploadWhole(ctx context.Context, r recording) error {
	op := nemesis.Op{Kind: nemesis.Upload, Key: r.key, SHA256: r.sha256}
	cut := u.rng.IntN(10) == 0
	return u.try(ctx, op, func(ctx context.Context, a *api, op *nemesis.Op) error {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		for k, v := range u.meta(r) {
			_ = form.WriteField(k, v) // to memory
		}
		part, err := form.CreateFormFile("file", r.key+".wav")
		if err != nil {
			return err
		}
		_, _ = part.Write(r.wav)
		_ = form.Close()
		var send io.Reader = &body
		if cut {
			send = io.MultiReader(io.LimitReader(&body, int64(body.Len()/2)), broken{})
		}
		resp, err := a.raw(ctx, http.MethodPost, "/api/v1/dictations", http.Header{"Content-Type": {form.FormDataContentType()}}, send)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		return received(resp.Body, r, op)
	})
}

// broken is the rest of an upload on a phone that lost its network.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the phone lost its network") }

// received reads a receipt; one that names other bytes is none.
func received(in io.Reader, r recording, op *nemesis.Op) error {
	var got receipt
	if err := json.NewDecoder(in).Decode(&got); err != nil {
		return err
	}
	op.Dictation = got.ID
	if got.SHA256 != r.sha256 {
		return fmt.Errorf("the receipt names other bytes")
	}
	return nil
}

// uploadInPieces speaks tus: it asks how much is there after each trouble and goes on. An upload that the server does not
// know any more is begun again.
func (u *user) uploadInPieces(ctx context.Context, r recording) error {
	op := nemesis.Op{Kind: nemesis.UploadTus, Key: r.key, SHA256: r.sha256}
	piece := len(r.wav)/3 + 1
	return u.try(ctx, op, func(ctx context.Context, a *api, op *nemesis.Op) error {
		var pairs []string
		for k, v := range u.meta(r) {
			pairs = append(pairs, k+" "+base64.StdEncoding.EncodeToString([]byte(v)))
		}
		pairs = append(pairs, "filename "+base64.StdEncoding.EncodeToString([]byte(r.key+".wav")))
		tus := func(more ...string) http.Header {
			h := http.Header{"Tus-Resumable": {"1.0.0"}}
			for i := 0; i < len(more); i += 2 {
				h[more[i]] = []string{more[i+1]}
			}
			return h
		}
		resp, err := a.raw(ctx, http.MethodPost, "/api/v1/uploads", tus("Upload-Length", strconv.Itoa(len(r.wav)), "Upload-Metadata", strings.Join(pairs, ",")), nil)
		if err != nil {
			return err
		}
		resp.Body.Close()
		place := resp.Header.Get("Location")
		for at, troubles := 0, 0; ; {
			end := min(at+piece, len(r.wav))
			resp, err := a.raw(ctx, http.MethodPatch, place, tus("Upload-Offset", strconv.Itoa(at), "Content-Type", "application/offset+octet-stream"), bytes.NewReader(r.wav[at:end]))
			if err == nil {
				resp.Body.Close()
				if at = end; at == len(r.wav) {
					op.Dictation = resp.Header.Get("Vesper-Dictation")
					return nil
				}
				continue
			}
			if troubles++; troubles > 5 || ctx.Err() != nil {
				return err
			}
			u.rest(ctx, 300*time.Millisecond)
			head, herr := a.raw(ctx, http.MethodHead, place, tus(), nil)
			if herr != nil {
				return errors.Join(err, herr)
			}
			head.Body.Close()
			if at, herr = strconv.Atoi(head.Header.Get("Upload-Offset")); herr != nil {
				return errors.Join(err, herr)
			}
			if op.Dictation = head.Header.Get("Vesper-Dictation"); at == len(r.wav) && op.Dictation != "" {
				return nil // received, only the answer was lost
			}
		}
	})
}

// signAll reads and signs what waits for the own signature; a few notes go back with a reason, and many get an addendum.
func (u *user) signAll(ctx context.Context) {
	var list cards
	if u.call(ctx, "list", "", http.MethodGet, "/api/v1/dictations?author=me&limit=20&state=awaiting_signature", nil, &list) != nil {
		return
	}
	for _, c := range list.Items {
		if ctx.Err() != nil {
			return
		}
		u.sign(ctx, c.ID)
	}
}

func (u *user) sign(ctx context.Context, id string) {
	path := "/api/v1/dictations/" + id
	var n note
	if u.call(ctx, "preview", id, http.MethodGet, path+"/signature-preview", nil, &n) != nil {
		return
	}
	if n.Parent == nil && u.rng.IntN(12) == 0 {
		_ = u.call(ctx, nemesis.Return, id, http.MethodPost, path+"/return", map[string]string{"reason": "Please hear it again."}, nil)
		return
	}
	op := nemesis.Op{Kind: nemesis.Sign, Dictation: id, Version: n.Version.Number}
	err := u.try(ctx, op, func(ctx context.Context, a *api, op *nemesis.Op) error {
		var made struct {
			TextSHA256 string `json:"text_sha256"`
		}
		err := a.do(ctx, http.MethodPost, path+"/signature", map[string]any{
			"version": n.Version.Number, "content_hash": n.ContentHash, "password": u.password,
		}, &made)
		op.Hash = made.TextSHA256
		return err
	})
	var refused *refusal
	if errors.As(err, &refused) && refused.code == "not_ready" {
		_ = u.call(ctx, nemesis.Return, id, http.MethodPost, path+"/return", map[string]string{"reason": "A blank is left."}, nil)
	}
	if err == nil && n.Parent == nil && u.rng.IntN(3) > 0 {
		u.amend(ctx, id)
	}
}

// amend adds an addendum, which waits for the own signature like any note.
func (u *user) amend(ctx context.Context, id string) {
	_ = u.try(ctx, nemesis.Op{Kind: nemesis.Addendum}, func(ctx context.Context, a *api, op *nemesis.Op) error {
		var made struct {
			ID string `json:"id"`
		}
		err := a.do(ctx, http.MethodPost, "/api/v1/dictations/"+id+"/addendum", map[string]string{"text": "The patient called back and is well."}, &made)
		op.Dictation = made.ID
		return err
	})
}
