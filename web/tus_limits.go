package web

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	tus "github.com/tus/tusd/v2/pkg/handler"

	"vesper/internal/access"
	"vesper/internal/fault"
)

// UploadLimits bound what one account, one address and one practice may do with uploads, so that nobody fills the house by
// mistake or on purpose. Zero values mean the defaults. A day's import of some hundred dictations passes.
type UploadLimits struct {
	Starts        int // uploads that an account may begin at once, refilled with two a second; 600
	StartsAddress int // the same for an address, behind which a whole practice may sit, with twenty a second; 3,000
	Pieces        int // requests for uploads that are under way, by account, refilled with twenty a second; 3,000
	PiecesAddress int // by address, with two hundred a second; 20,000

	Unfinished         int   // uploads that an account may have unfinished at the same time; 200
	UnfinishedBytes    int64 // what they may hold when they are whole; four times the largest recording
	UnfinishedPractice int   // uploads of a whole practice; 4,000
	PracticeBytes      int64 // sixty-four times the largest recording
}

func (l UploadLimits) orDefaults(maxUpload int64) UploadLimits {
	return UploadLimits{
		Starts: cmp.Or(l.Starts, 600), StartsAddress: cmp.Or(l.StartsAddress, 3000),
		Pieces: cmp.Or(l.Pieces, 3000), PiecesAddress: cmp.Or(l.PiecesAddress, 20_000),
		Unfinished: cmp.Or(l.Unfinished, 200), UnfinishedBytes: cmp.Or(l.UnfinishedBytes, 4*maxUpload),
		UnfinishedPractice: cmp.Or(l.UnfinishedPractice, 4000), PracticeBytes: cmp.Or(l.PracticeBytes, 64*maxUpload),
	}
}

// uploadGuard applies the limits. How often requests may come is counted in this process; what is unfinished is counted in
// the folder, which several servers may share.
type uploadGuard struct {
	limits                         UploadLimits
	startAddress, piece, pieceAddr *limiter

	mu     sync.Mutex
	known  map[string]spaceClaim // by upload; what a description says once it does not change
	coming map[string]spaceClaim // uploads whose description is not on disk yet
}

// spaceClaim is what an unfinished upload takes up.
type spaceClaim struct {
	owner, practice string
	size            int64
	growing         bool // its size is not known yet: what is here counts
}

func newUploadGuard(l UploadLimits, maxUpload int64) *uploadGuard {
	l = l.orDefaults(maxUpload)
	return &uploadGuard{
		limits: l, startAddress: newLimiter(l.StartsAddress, 50*time.Millisecond, 10_000),
		piece: newLimiter(l.Pieces, 50*time.Millisecond, 10_000), pieceAddr: newLimiter(l.PiecesAddress, 5*time.Millisecond, 10_000),
		known: map[string]spaceClaim{}, coming: map[string]spaceClaim{},
	}
}

// uploadGate keeps one account or address from beginning more recordings than people can speak; it is the same for
// resumable uploads and forms.
func (s *Server) uploadGate(r *http.Request) gate {
	return gate{
		{s.attempts.upload, of(r.Context()).actor.ID.String()},
		{s.uploads.guard.startAddress, clientIP(r, s.cfg.BehindProxy)},
	}
}

// pieceGate is that of requests for uploads that are under way.
func (u *uploads) pieceGate(r *http.Request) gate {
	return gate{
		{u.guard.piece, of(r.Context()).actor.ID.String()},
		{u.guard.pieceAddr, clientIP(r, u.server.cfg.BehindProxy)},
	}
}

// admit counts what the actor and the practice have unfinished, with the upload that is to begin. It counts as begun
// until done is called, which the caller does when its description is on disk or never will be.
func (u *uploads) admit(ctx context.Context, actor access.Actor, id string, size int64, growing bool) (done func(), err error) {
	g := u.guard
	g.mu.Lock()
	defer g.mu.Unlock()
	all, err := u.unfinished()
	if err != nil {
		return nil, err
	}
	had := usageOf(all, actor, "")
	for len(had.mine) >= g.limits.Unfinished || had.myBytes+size > g.limits.UnfinishedBytes {
		freed, ok := u.dropIdle(ctx, &had.mine)
		if !ok {
			return nil, unfinishedFault("You have")
		}
		had.myBytes, had.ourBytes, had.ours = had.myBytes-all[freed].size, had.ourBytes-all[freed].size, had.ours-1
	}
	if had.ours >= g.limits.UnfinishedPractice || had.ourBytes+size > g.limits.PracticeBytes {
		return nil, unfinishedFault("Your practice has")
	}
	g.coming[id] = spaceClaim{actor.ID.String(), actor.PracticeID.String(), size, growing}
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.coming, id)
	}, nil
}

// mayGrow holds an upload that began without a length against the same bounds, once it is larger than was reckoned with when
// it began.
func (u *uploads) mayGrow(actor access.Actor, id string, whole int64) error {
	if whole <= deferredRoom {
		return nil
	}
	g := u.guard
	g.mu.Lock()
	defer g.mu.Unlock()
	all, err := u.unfinished()
	if err != nil {
		return err
	}
	others := usageOf(all, actor, id)
	switch {
	case others.myBytes+whole > g.limits.UnfinishedBytes:
		return unfinishedFault("You have")
	case others.ourBytes+whole > g.limits.PracticeBytes:
		return unfinishedFault("Your practice has")
	default:
		return nil
	}
}

// usage is what a person and their practice have unfinished.
type usage struct {
	mine              []string // ids
	ours              int
	myBytes, ourBytes int64
}

// usageOf adds up the uploads of the actor and of the practice, without one of them.
func usageOf(all map[string]spaceClaim, actor access.Actor, without string) (out usage) {
	for id, c := range all {
		if id == without || c.practice != actor.PracticeID.String() {
			continue
		}
		out.ours, out.ourBytes = out.ours+1, out.ourBytes+c.size
		if c.owner == actor.ID.String() {
			out.mine, out.myBytes = append(out.mine, id), out.myBytes+c.size
		}
	}
	return out
}

func unfinishedFault(who string) error {
	return &fault.Error{
		Kind: fault.Unavailable, Code: "uploads_unfinished", RetryAfter: time.Minute,
		Public: who + " too many recordings under way that are not here in full. Keep this one; let the others finish, then try again.",
	}
}

// idleTime is how long an upload must have been left alone to make room for another one of the same person. Its client,
// if it still lives, has the recording and begins anew.
const idleTime = time.Hour

// dropIdle removes the upload of the list that was left alone for longest, if it was left alone for long.
func (u *uploads) dropIdle(ctx context.Context, ids *[]string) (string, bool) {
	slices.SortFunc(*ids, func(a, b string) int { return u.touched(a).Compare(u.touched(b)) })
	for i, id := range *ids {
		if time.Since(u.touched(id)) < idleTime {
			return "", false
		}
		unlock, err := u.lock(ctx, id)
		if err != nil {
			continue // somebody works on it after all
		}
		u.remove(id, "", ".info")
		unlock()
		*ids = (*ids)[i+1:]
		return id, true
	}
	return "", false
}

func (u *uploads) touched(id string) time.Time { return newest(u.path(id), u.path(id)+".info") }

// unfinished lists what lies in the folder and what is about to, by upload. Its caller holds the guard's lock.
func (u *uploads) unfinished() (map[string]spaceClaim, error) {
	entries, err := os.ReadDir(u.dir)
	if err != nil {
		return nil, spoolFault(err)
	}
	out := make(map[string]spaceClaim, len(entries)/2)
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), ".info")
		if !ok {
			continue
		}
		c, ok := u.guard.known[id]
		if !ok {
			if c, ok = u.readClaim(id); !ok {
				continue
			}
		}
		if c.growing {
			if st, err := os.Stat(u.path(id)); err == nil {
				c.size = st.Size()
			}
		}
		out[id] = c
	}
	u.guard.known = map[string]spaceClaim{}
	for id, c := range out {
		if !c.growing { // one that grows gets its size later
			u.guard.known[id] = c
		}
	}
	for id, c := range u.guard.coming {
		out[id] = c
	}
	return out, nil
}

func (u *uploads) readClaim(id string) (spaceClaim, bool) {
	raw, err := os.ReadFile(u.path(id) + ".info")
	if err != nil {
		return spaceClaim{}, false
	}
	var info tus.FileInfo
	if err := json.Unmarshal(raw, &info); err != nil {
		return spaceClaim{}, false
	}
	return spaceClaim{info.MetaData[keyOwner], info.MetaData[keyOwnerPractice], info.Size, info.SizeIsDeferred}, true
}
