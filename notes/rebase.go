package notes

import (
	"strings"
	"time"

	"vesper/notes/templates"
)

// SectionText is a section as a client sends it: its key and its whole text.
type SectionText struct {
	Key  string `json:"key"`
	Text string `json:"text"`
}

// Rebase makes the next version of a document from the text that a person saved. Words that stay keep their source, also
// when they moved to another section or were restored from what was removed; every other word belongs to the person and the
// time. Sections that the client leaves out stay as they are. Text is normalised first (NormalizeText); the runs of the
// result tile it exactly. Blanks whose mark is gone are closed; a flag whose words were changed counts as settled.
func Rebase(prev Document, edited []SectionText, by string, at time.Time) Document {
	at = at.UTC()
	r := rebaser{prev: prev, person: Source{Kind: FromPerson, By: by, At: &at}}
	r.readOld()
	next := r.layOut(edited)
	for i := range next.Sections {
		r.matchSection(i)
	}
	r.matchMoves()
	for i := range next.Sections {
		next.Sections[i].Runs = r.runs(i)
	}
	next.Blanks = blanksOf(next)
	next.Flags = settleEdited(prev, next, by, at)
	next.FollowUps = relinkFollowUps(prev, next, by, at)
	next.Flags = recheck(prev, next, by, at)
	return withMissingSections(next)
}

// rebaser aligns one edit with the version before.
type rebaser struct {
	prev   Document
	person Source
	pool   []Run     // all runs of the old version, then what can be restored
	old    []oldText // by old section, then the restorable texts
	fresh  []newText // by new section
}

// oldText is a text that sources can come from.
type oldText struct {
	key    string
	pieces []piece
	tail   []part
	used   []bool
	whole  bool // only a match of the whole text counts (a restored text may be short)
}

// newText is a section being saved.
type newText struct {
	key    string
	pieces []piece
	tail   string
	from   []*piece // the old piece, nil for what the person wrote
	tailOf []part
}

func (r *rebaser) readOld() {
	for _, s := range r.prev.Sections {
		p, tail := piecesOf(s.Runs, len(r.pool))
		r.pool = append(r.pool, s.Runs...)
		r.old = append(r.old, oldText{key: s.Key, pieces: p, tail: tail, used: make([]bool, len(p))})
	}
	for _, f := range r.prev.Flags {
		if f.Kind == FlagStruck || f.Kind == FlagScratched {
			r.addRestorable(Run{Text: f.Text, Source: Source{Kind: FromSpeech, Start: f.Start, End: f.End}})
		}
	}
	for _, removed := range r.prev.Removed {
		if removed.Reason != RemovedScratched {
			continue
		}
		r.addRestorable(Run{Text: removed.Text, Source: Source{
			Kind: FromSpeech, Start: removed.Start, End: removed.End, Words: removed.Words,
		}})
	}
}

func (r *rebaser) addRestorable(run Run) {
	p, tail := piecesOf([]Run{run}, len(r.pool))
	r.pool = append(r.pool, run)
	r.old = append(r.old, oldText{pieces: p, tail: tail, used: make([]bool, len(p)), whole: true})
}

// layOut makes the sections of the next version, still without runs, and reads the saved texts.
func (r *rebaser) layOut(edited []SectionText) Document {
	next := r.prev.clone()
	texts := map[string]string{}
	for _, s := range r.prev.Sections {
		texts[s.Key] = s.Text()
	}
	for _, e := range edited {
		if _, known := next.Section(e.Key); !known {
			if strings.TrimSpace(e.Text) == "" {
				continue
			}
			next.Sections = insertSection(next, e.Key)
		}
		texts[e.Key] = NormalizeText(e.Text)
	}
	for _, s := range next.Sections {
		p, tail := pieces(texts[s.Key])
		r.fresh = append(r.fresh, newText{key: s.Key, pieces: p, tail: tail, from: make([]*piece, len(p))})
	}
	return next
}

// insertSection adds a section that the document did not have yet, at its place in the template.
func insertSection(d Document, key string) []Section {
	added := Section{Key: key, Heading: strings.ReplaceAll(key, "_", " "), Runs: []Run{}}
	tpl, err := templates.Find(d.WorkType)
	if err != nil {
		return append(d.Sections, added)
	}
	place := map[string]int{}
	for i, s := range tpl.Sections {
		place[s.Key] = i
		if s.Key == key {
			added.Heading, added.Required = s.Heading, s.Required
		}
	}
	mine, known := place[key]
	for i, s := range d.Sections {
		if at, ok := place[s.Key]; known && ok && at > mine {
			return append(d.Sections[:i:i], append([]Section{added}, d.Sections[i:]...)...)
		}
	}
	return append(d.Sections, added)
}

// matchSection aligns a section with itself in the version before.
func (r *rebaser) matchSection(i int) {
	n := &r.fresh[i]
	for k := range r.old {
		o := &r.old[k]
		if o.whole || o.key != n.key {
			continue
		}
		for j, from := range align(o.pieces, n.pieces) {
			if from >= 0 {
				n.from[j], o.used[from] = &o.pieces[from], true
			}
		}
		if partsText(o.tail) == n.tail {
			n.tailOf = o.tail
		}
		return
	}
}

// place is a piece of an old text.
type place struct{ text, piece int }

const (
	shortestMove   = 3  // pieces in a row that show that text was moved and not written anew
	mostCandidates = 64 // places tried for one piece
)

// matchMoves looks for what is still without a source among what is unused: text moved to another place, or restored.
func (r *rebaser) matchMoves() {
	places := map[string][]place{}
	for t := range r.old {
		for p := range r.old[t].pieces {
			if !r.old[t].used[p] && (!r.old[t].whole || p == 0) {
				text := r.old[t].pieces[p].text
				places[text] = append(places[text], place{t, p})
			}
		}
	}
	for i := range r.fresh {
		n := &r.fresh[i]
		for j := 0; j < len(n.pieces); {
			at, length := r.longestMove(n, j, places[n.pieces[j].text])
			for k := range length {
				o := &r.old[at.text]
				n.from[j+k], o.used[at.piece+k] = &o.pieces[at.piece+k], true
			}
			j += max(1, length)
		}
	}
}

func (r *rebaser) longestMove(n *newText, j int, candidates []place) (place, int) {
	var best place
	length := 0
	for c, at := range candidates {
		if c == mostCandidates {
			break
		}
		o := r.old[at.text]
		k := 0
		for j+k < len(n.pieces) && at.piece+k < len(o.pieces) && n.from[j+k] == nil && !o.used[at.piece+k] &&
			o.pieces[at.piece+k].text == n.pieces[j+k].text {
			k++
		}
		enough := k >= shortestMove && !o.whole || o.whole && k == len(o.pieces)
		if enough && k > length {
			best, length = at, k
		}
	}
	return best, length
}

// runs writes the runs of a section: the sources of what stayed, and the person's for the rest. Slices of one old run that
// are neighbours again become one run again.
func (r *rebaser) runs(i int) []Run {
	n := &r.fresh[i]
	out := []Run{}
	last := -2 // number of the run that the last slice came from; -1 for the person
	add := func(run int, text string) {
		if text == "" {
			return
		}
		if run == last {
			out[len(out)-1].Text += text
			return
		}
		source := r.person
		if run >= 0 {
			source = r.pool[run].Source
		}
		out, last = append(out, Run{Text: text, Source: source}), run
	}
	addParts := func(parts []part) {
		for _, p := range parts {
			add(p.run, p.text)
		}
	}
	for j, p := range n.pieces {
		old := n.from[j]
		if old == nil {
			add(-1, p.lead+p.text)
			continue
		}
		if partsText(old.space) == p.lead {
			addParts(old.space)
		} else {
			add(-1, p.lead)
		}
		addParts(old.parts)
	}
	if n.tailOf != nil {
		addParts(n.tailOf)
	} else {
		add(-1, n.tail)
	}
	return out
}
