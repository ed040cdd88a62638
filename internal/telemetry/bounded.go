package telemetry

import (
	"regexp"
	"sync"
)

// bounded keeps a label from growing without end, whatever a program or an outside service gives it: only what looks like a
// code is taken, and only so many different ones; the rest is "other".
type bounded struct {
	mu   sync.Mutex
	seen map[string]bool
	most int
}

func newBounded(most int) *bounded { return &bounded{seen: map[string]bool{}, most: most} }

var codeForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,47}$`)

func (b *bounded) label(code string) string {
	if code == "" {
		return "none"
	}
	if !codeForm.MatchString(code) {
		return "other"
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.seen[code] {
		if len(b.seen) >= b.most {
			return "other"
		}
		b.seen[code] = true
	}
	return code
}

// fixed are labels that are no codes but come from the database's own lists.
var fixed = map[string]bool{"0-50": true, "50-80": true, "80-100": true}

func (b *bounded) labelOf(text string) string {
	if fixed[text] {
		return text
	}
	return b.label(text)
}
