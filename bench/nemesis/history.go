package nemesis

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// Outcome is what a client knows of an operation when it ended.
type Outcome string

// The outcomes. Unknown is an answer that did not come, was cut, or spoke of trouble on the server's side: it may have been
// done or not.
const (
	OK      Outcome = "ok"
	Fail    Outcome = "fail"
	Unknown Outcome = "unknown"
)

// The kinds of operation that the checker looks for in the evidence. Others are only counted.
const (
	Upload    = "upload"
	UploadTus = "upload-tus"
	ClaimNote = "claim"
	Save      = "save"
	Settle    = "settle"
	Release   = "release"
	Send      = "send"
	Return    = "return"
	Sign      = "sign"
	Addendum  = "addendum"
	Retry     = "retry"
)

// Op is one attempt of one client. What it asked for and was told stands beside it, as far as the evidence can show it.
type Op struct {
	ID        int       `json:"id"`
	Kind      string    `json:"kind"`
	Who       string    `json:"who"`
	Server    string    `json:"server"`
	Start     time.Time `json:"start"`
	End       time.Time `json:"end"`
	Outcome   Outcome   `json:"outcome"`
	Code      string    `json:"code,omitempty"`      // of the problem, or what went wrong
	Key       string    `json:"key,omitempty"`       // of the client, for uploads
	SHA256    string    `json:"sha256,omitempty"`    // of the recording
	Dictation string    `json:"dictation,omitempty"` // asked about, or answered with
	Version   int       `json:"version,omitempty"`   // written, sent or signed
	Hash      string    `json:"hash,omitempty"`      // of the version written, or of the text signed
}

// Strike is one fault that was injected.
type Strike struct {
	ID      int       `json:"id"`
	Kind    string    `json:"fault"`
	What    string    `json:"what"`
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"`
	Failed  string    `json:"failed,omitempty"` // it could not be injected, and why
	Affects []string  `json:"affects"`          // the signs of life that show that it is over
	InHand  []string  `json:"in_hand"`          // jobs that ran when it came
}

// Beat is a sign of life of one part: an operation done, a stage finished.
type Beat struct {
	Of string
	At time.Time
}

// History is all that was done to the practice and in it. It is safe for concurrent use; each entry is written to a file as
// one line of JSON when it ends.
type History struct {
	mu      sync.Mutex
	out     io.Writer
	next    int
	Ops     []Op
	Strikes []Strike
	Beats   []Beat
}

// NewHistory writes to out as well; nil keeps it in memory only.
func NewHistory(out io.Writer) *History { return &History{out: out} }

// Number gives the next entry its id.
func (h *History) Number() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next++
	return h.next
}

// Did adds an operation that has ended.
func (h *History) Did(op Op) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Ops = append(h.Ops, op)
	if op.Outcome == OK {
		h.Beats = append(h.Beats, Beat{"op", op.End}, Beat{"op:" + op.Kind, op.End}, Beat{"server:" + op.Server, op.End})
	}
	h.write(op)
}

// Struck adds a fault that is over.
func (h *History) Struck(s Strike) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Strikes = append(h.Strikes, s)
	h.write(s)
}

// Lives notes a sign of life.
func (h *History) Lives(of string, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Beats = append(h.Beats, Beat{of, at})
}

func (h *History) write(entry any) {
	if h.out == nil {
		return
	}
	raw, err := json.Marshal(entry)
	if err == nil {
		_, _ = fmt.Fprintf(h.out, "%s\n", raw) // the copy in memory is the one that is judged
	}
}

// Recovery is how long after the end of a fault the first of the parts it struck showed life again. ok is false when
// nothing that it struck was used any more.
func (h *History) Recovery(s Strike) (d time.Duration, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, beat := range h.Beats {
		if !beat.At.After(s.End) || !slices.Contains(s.Affects, beat.Of) {
			continue
		}
		if since := beat.At.Sub(s.End); !ok || since < d {
			d, ok = since, true
		}
	}
	return d, ok
}

// Takeover is how long after the end of a fault the last of the jobs that ran when it came was done, by whomever. ok is
// false when none ran.
func (h *History) Takeover(s Strike, jobs map[string]Job) (d time.Duration, ok bool) {
	for _, id := range s.InHand {
		if j := jobs[id]; j.Finished != nil {
			d, ok = max(d, j.Finished.Sub(s.End)), true
		}
	}
	return d, ok
}
