package followups

import (
	"regexp"
	"regexp/syntax"
)

// pattern is an expression that is tried only at words with which it can begin. Searching a sentence for several hundred
// terms at every byte would take a thousand times as long.
type pattern struct {
	re     *regexp.Regexp
	starts map[string]bool // the first bytes that it can begin with, up to startLength
}

const startLength = 4

func newPattern(expr string) (*pattern, error) {
	re, err := regexp.Compile(`^(?:` + expr + `)\b`)
	if err != nil {
		return nil, err
	}
	re.Longest()
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, err
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, err
	}
	p := &pattern{re: re, starts: map[string]bool{}}
	p.grow(prog, closure(prog, []uint32{uint32(prog.Start)}), "")
	return p, nil
}

// letters are the bytes that a word of a pattern can begin with.
const letters = "abcdefghijklmnopqrstuvwxyz0123456789 .,-/'&:"

// grow walks the expression's automaton byte by byte and notes where it is still alive.
func (p *pattern) grow(prog *syntax.Prog, states []uint32, so string) {
	for _, s := range states {
		if prog.Inst[s].Op == syntax.InstMatch {
			p.starts[so] = true
			return
		}
	}
	if len(so) == startLength {
		p.starts[so] = true
		return
	}
	for i := range len(letters) {
		var next []uint32
		for _, s := range states {
			if in := prog.Inst[s]; in.Op != syntax.InstMatch && in.MatchRune(rune(letters[i])) {
				next = append(next, in.Out)
			}
		}
		if len(next) > 0 {
			p.grow(prog, closure(prog, next), so+letters[i:i+1])
		}
	}
}

// closure follows what consumes nothing.
func closure(prog *syntax.Prog, from []uint32) []uint32 {
	seen := map[uint32]bool{}
	var out []uint32
	for len(from) > 0 {
		s := from[len(from)-1]
		from = from[:len(from)-1]
		if seen[s] {
			continue
		}
		seen[s] = true
		switch in := prog.Inst[s]; in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			from = append(from, in.Out, in.Arg)
		case syntax.InstCapture, syntax.InstEmptyWidth, syntax.InstNop:
			from = append(from, in.Out)
		case syntax.InstFail:
		default:
			out = append(out, s)
		}
	}
	return out
}

// canBegin says whether the pattern may match at the beginning of text.
func (p *pattern) canBegin(text string) bool {
	for n := min(startLength, len(text)); n > 0; n-- {
		if p.starts[text[:n]] {
			return true
		}
	}
	return false
}

// beginsWord says whether a word begins at byte i.
func beginsWord(low string, i int) bool { return wordByte(low[i]) && (i == 0 || !wordByte(low[i-1])) }

func wordByte(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' }
