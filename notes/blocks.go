package notes

import (
	"slices"
	"strings"
	"time"

	"vesper/internal/lexicon"
)

// TextBlock is a text that an author has approved and inserts by name: "insert my normal heart exam".
type TextBlock struct {
	Name       string    `json:"name"`              // as it is said: "heart exam"
	Also       []string  `json:"also,omitempty"`    // other names
	Text       string    `json:"text"`              // what is inserted, as it stands
	ApprovedBy string    `json:"approved_by"`       // id of the author who approved the text
	ApprovedAt time.Time `json:"approved_at"`       // when
	Version    string    `json:"version,omitempty"` // of the text: id of its stored row
}

// FromBlock is text that its author wrote and approved before, and asked for by name in the dictation: Words, Start and End
// are the request, By and At the approval, Block the name.
const FromBlock SourceKind = "block"

// FlagTextBlock marks a request for a text block that the author does not have.
const FlagTextBlock FlagKind = "text_block"

const (
	longestBlockName = 6    // words
	blockNameFar     = 0.15 // how far a block's name and what was heard may sound apart
)

// blockRequest is a request for a text block: its name in tokens from up to to, and the block, nil when there is none.
type blockRequest struct {
	block    *TextBlock
	from, to int
}

// requestAt reads the name of a text block after the request's words, which end before token i.
func (s *scanner) requestAt(i int) blockRequest {
	j := i
	if articles[s.key(j)] {
		j++
	}
	end := j
	for end < len(s.tokens) && end < j+longestBlockName {
		if end > j {
			if c, _ := s.commandAt(end); c != nil || s.tokens[end].pause >= phrasePause {
				break
			}
		}
		end++
		if s.tokens[end-1].mark() != "" {
			break
		}
	}
	for to := end; to > j; to-- {
		if b := s.blockNamed(j, to); b != nil {
			for blockWords[s.key(to)] && s.tokens[to-1].mark() == "" {
				to++
			}
			return blockRequest{block: b, from: j, to: to}
		}
	}
	return blockRequest{from: j, to: end}
}

// blockWords may follow a block's name.
var blockWords = wordSet("block template macro text paragraph")

// blockNamed is the block whose name tokens from up to to say.
func (s *scanner) blockNamed(from, to int) *TextBlock {
	said := strings.ToLower(plainWords(s.tokens[from:to]))
	for i := range s.blocks {
		if slices.ContainsFunc(s.blocks[i].names(), func(name string) bool { return plainName(name) == plainName(said) }) {
			return &s.blocks[i]
		}
	}
	for i := range s.blocks {
		for _, name := range s.blocks[i].names() {
			if len(plainName(name)) >= 5 && lexicon.Distance(said, name) <= blockNameFar {
				return &s.blocks[i]
			}
		}
	}
	return nil
}

func (b TextBlock) names() []string { return append([]string{b.Name}, b.Also...) }

// plainName is a name for comparison. The words that only ask for a block do not count.
func plainName(name string) string {
	var out []string
	for _, w := range strings.Fields(strings.ToLower(strings.ReplaceAll(name, "-", " "))) {
		if k := keyOf(strings.Trim(w, allMarks)); !blockWords[k] && k != "normal" && k != "standard" && k != "the" {
			out = append(out, k)
		}
	}
	return strings.Join(out, " ")
}

// needsBlock wants a block of that name, or a request that can be nothing else.
func needsBlock(s *scanner, i, n int) bool {
	if i+n >= len(s.tokens) {
		return false
	}
	r := s.requestAt(i + n)
	if r.block != nil {
		return s.boundary(i) || s.key(i) != "my" && s.aloneBefore(i)
	}
	verb := s.key(i) == "insert" || s.key(i) == "pull" || s.key(i) == "use"
	plain := s.key(i+1) == "my" && n == 3 || n == 2 && s.key(i) == "insert" && s.key(i+1) != "my" && s.key(i+1) != "standard"
	return verb && plain && s.boundary(i) && r.to > r.from
}

// insertBlock carries out "insert my normal NAME", said by tokens from up to to.
func (s *scanner) insertBlock(c *command, from, to int) int {
	r := s.requestAt(to)
	if r.block == nil {
		for t := from; t < r.to; t++ {
			s.word(t)
		}
		name := plainWords(s.tokens[r.from:r.to])
		s.flags = append(s.flags, s.flag(FlagTextBlock, Critical, s.section, span(from, r.to), s.heard(span(from, r.to)),
			"The author asks for the text “"+name+"”, and has no approved text of this name. Ask for it or write what was meant; nothing was inserted."))
		return r.to
	}
	s.dropComma()
	s.add(item{kind: itemBlock, text: NormalizeText(r.block.Text), tokens: span(from, r.to), command: c.name, block: r.block})
	return r.to
}

// block writes a text block. A text of several lines begins on a line of its own.
func (w *writer) block(it item) {
	text := strings.TrimSpace(it.text)
	if text == "" {
		w.s.removeTokens(RemovedCommand, it.tokens)
		return
	}
	if strings.Contains(text, "\n") {
		w.line()
	}
	w.put(it, text, true)
	last := &w.runs[len(w.runs)-1].Source
	at := it.block.ApprovedAt.UTC()
	last.Kind, last.Block, last.Version, last.By, last.At = FromBlock, it.block.Name, it.block.Version, it.block.ApprovedBy, &at
	last.Said = w.s.heard(it.tokens)
	w.space, w.upper = true, strings.ContainsAny(text[len(text)-1:], sentenceEnds)
	if strings.Contains(text, "\n") {
		w.line()
	}
}
