package notes

import (
	"strings"

	"vesper/notes/style"
	"vesper/notes/templates"
	"vesper/transcribe"
)

// scanner reads a dictation from its first word to its last and sorts every word into segments or into what is removed.
type scanner struct {
	style    style.Style
	tpl      templates.Template
	tokens   []token
	headings headingIndex
	set      *commandSet
	bySound  map[int]soundHit // commands that the engine misheard, by their first token
	repeats  map[string]bool  // words said more than once, always before a mark or a pause
	blocks   []TextBlock

	at          int    // token being read
	section     string // being dictated
	segments    []segment
	removed     []Removed
	flags       []Flag
	blanks      []transcribe.Span // unheard speech that has not been placed yet
	listNumber  int               // last number of the list being dictated
	nextCaps    caps
	held        caps           // capitals until "caps off"
	commandOf   map[int]string // names of the commands that tokens spoke
	copies      []Copy
	requests    []Request
	dictates    bool            // the speaker dictates marks
	dictatesAll bool            // the speaker dictates nearly every mark
	weighed     bool            // the engine held each figure against those that sound alike
	saysComma   bool            // the speaker dictates commas
	named       map[string]bool // words that the engine wrote with a capital inside a sentence: names
	shouted     []bool          // tokens in a stretch that the engine wrote Like a Headline
}

func newScanner(t transcribe.Transcript, tpl templates.Template, opts Options) *scanner {
	s := &scanner{
		tpl: tpl, tokens: tokensOf(t.Words), headings: newHeadingIndex(tpl), set: spokenCommands(),
		blanks: unheardSpans(t.Spans), blocks: opts.Blocks, style: opts.Style.OrDefault(), commandOf: map[int]string{},
		weighed: t.Doubts != nil,
	}
	s.hear()
	s.readHabits()
	s.readCapitals()
	s.open(tpl.Default())
	s.current().free = true
	return s
}

// scan reads everything.
func (s *scanner) scan() {
	s.title()
	for s.at < len(s.tokens) {
		s.placeBlanks(s.tokens[s.at].start)
		s.pauseBreak()
		s.at = s.step(s.at)
	}
	s.placeBlanks(-1)
}

// step reads what stands at token i and returns the token after it.
func (s *scanner) step(i int) int {
	if noise(s.tokens[i].raw) {
		s.remove(RemovedNonSpeech, i, i+1)
		return i + 1
	}
	if s.tokens[i].core == "" && s.tokens[i].trail != "" {
		s.mark(&command{act: actMark, text: s.tokens[i].trail}, []int{i})
		return i + 1
	}
	if end := s.namedItem(i); end > i {
		return end
	}
	if c, n := s.commandAt(i); c != nil && c.act == actGoBack {
		return s.obey(c, i, i+n)
	}
	if f, ok := s.headingAt(i); ok {
		return s.heading(i, f)
	}
	if number := s.listNumberAt(i); number > 0 && s.startsItem(i, number) {
		return s.listItem(i, number)
	}
	if end := s.spelledAfter(i); end > i {
		return end
	}
	if c, n := s.commandAt(i); c != nil {
		for t := i; t < i+n; t++ {
			s.commandOf[t] = c.name
		}
		return s.obey(c, i, i+n)
	}
	s.word(i)
	return i + 1
}

// open begins a segment of a section.
func (s *scanner) open(section string) {
	s.section, s.listNumber = section, 0
	s.segments = append(s.segments, segment{section: section})
}

// current is the segment being dictated.
func (s *scanner) current() *segment { return &s.segments[len(s.segments)-1] }

// last is the last item of the segment, nil at its beginning. Blanks do not count: they are where nothing was heard.
func (s *scanner) last() *item {
	items := s.current().items
	for i := len(items) - 1; i >= 0; i-- {
		if items[i].kind != itemBlank {
			return &items[i]
		}
	}
	return nil
}

func (s *scanner) add(it item) { s.current().items = append(s.current().items, it) }

// remove records tokens that are not written, with the reason.
func (s *scanner) remove(reason RemovedReason, from, to int) {
	s.removeTokens(reason, span(from, to))
}

func (s *scanner) removeTokens(reason RemovedReason, tokens []int) {
	if len(tokens) == 0 {
		return
	}
	r := Removed{Reason: reason, Text: s.heard(tokens), Section: s.section, Words: s.words(tokens)}
	if reason == RemovedCommand {
		r.Command = s.commandOf[tokens[0]]
	}
	r.Start, r.End = s.times(tokens)
	s.removed = append(s.removed, r)
}

func span(from, to int) []int {
	out := make([]int, 0, to-from)
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

// heard is what the engine wrote for tokens.
func (s *scanner) heard(tokens []int) string {
	words := make([]string, len(tokens))
	for i, t := range tokens {
		words[i] = s.tokens[t].raw
	}
	return strings.Join(words, " ")
}

// words are the places of tokens' words in the transcript.
func (s *scanner) words(tokens []int) []int {
	out := make([]int, 0, len(tokens))
	for _, t := range tokens {
		if n := len(out); n == 0 || out[n-1] != s.tokens[t].word {
			out = append(out, s.tokens[t].word)
		}
	}
	return out
}

// times is the span of the recording under tokens.
func (s *scanner) times(tokens []int) (start, end float64) {
	for i, t := range tokens {
		if i == 0 || s.tokens[t].start < start {
			start = s.tokens[t].start
		}
		end = max(end, s.tokens[t].end)
	}
	return start, end
}

// boundary says that something new can begin at token i: after a break, the end of a sentence, or a pause.
func (s *scanner) boundary(i int) bool {
	return s.strongBoundary(i) || s.tokens[i].pause >= 0.5
}

// strongBoundary is boundary without the pause.
func (s *scanner) strongBoundary(i int) bool {
	last := s.last()
	if i == 0 || last == nil {
		return true
	}
	switch last.kind {
	case itemBreak, itemNumber, itemLabel, itemBlock:
		return true
	case itemMark:
		return strings.ContainsAny(last.text, sentenceEnds)
	case itemWord:
		return strings.ContainsAny(last.trail, sentenceEnds)
	}
	return s.tokens[i-1].endsSentence()
}

// title takes the name of the document at the very beginning: "Progress note." is printed as the title anyway.
func (s *scanner) title() {
	best := 0
	for _, name := range append([]string{s.tpl.Name, s.tpl.Key}, s.tpl.Aliases...) {
		words := strings.Fields(strings.ToLower(strings.ReplaceAll(name, "&", " and ")))
		if len(words) < 2 || len(words) <= best || !s.wordsAt(0, words) {
			continue
		}
		if delim, _ := s.delimiterAt(len(words)); delim == delimStop || delim == delimColon {
			best = len(words)
		}
	}
	if best == 0 {
		return
	}
	_, eaten := s.delimiterAt(best)
	s.remove(RemovedTitle, 0, best+eaten)
	s.at = best + eaten
}

// heading carries out a heading found at token i.
func (s *scanner) heading(i int, f found) int {
	end := i + f.words + f.eaten
	if f.heading.label != "" {
		s.openNamed(f.heading.section, s.current().free)
		text := labelText(f.heading, s.tokens[i:i+f.words])
		if f.unknown {
			s.flags = append(s.flags, s.flag(FlagHeading, Notice, s.section, span(i, end), text,
				"“"+text+"” was dictated like a heading, but this kind of note has no such section. Move the text if it belongs elsewhere."))
		}
		s.add(item{kind: itemLabel, text: text + ":", tokens: span(i, end), rule: "label"})
		return end
	}
	if f.keep {
		s.openStated(f.heading.section)
		s.word(i)
		return i + 1
	}
	s.endAtComma()
	s.open(f.heading.section)
	s.headed(f.heading.section)
	s.remove(RemovedHeading, i, end)
	return end
}

// word writes a token as it is.
func (s *scanner) word(i int) {
	t := s.tokens[i]
	s.doubtComa(i)
	if last := s.last(); last != nil && last.kind == itemWord && last.trail == "." && s.pausedOnly(t.key) {
		last.trail = ""
	}
	it := item{kind: itemWord, text: t.core, tokens: []int{i}, lead: t.lead, trail: t.trail, caps: s.nextCaps}
	if s.nextCaps == capsAsIs {
		it.caps = s.held
	}
	s.nextCaps = capsAsIs
	s.add(it)
}

// readHabits finds out how the speaker dictates.
func (s *scanner) readHabits() {
	commas, periods, comas := 0, 0, 0
	for i, t := range s.tokens {
		name := ""
		if hit, ok := s.bySound[i]; ok {
			name = hit.command.name
		}
		switch {
		case t.key == "comma" || name == "comma":
			commas++
		case t.key == "coma" && i > 0 && s.tokens[i-1].mark() == "," && t.mark() != "" && !comaContext[s.key(i-1)]:
			comas++
		case t.key == "period" || t.key == "stop" || name == "period":
			periods++
		}
	}
	if commas > 0 { // nobody falls into a coma between two commas while commas are dictated
		commas += comas
	}
	s.saysComma, s.dictates = commas > 1, commas > 1 || periods > 1
	ends := 0
	for i, t := range s.tokens {
		if hit := s.bySound[i]; t.endsSentence() && t.key != "period" && t.key != "comma" && t.key != "colon" && s.key(i+1) != "period" && hit.command == nil {
			ends++
		}
	}
	s.dictatesAll = periods >= 3 && periods >= 2*ends
}

// pausedOnly says that a point which the engine wrote before a word stands for a pause: this speaker dictates the periods.
func (s *scanner) pausedOnly(next string) bool {
	return s.dictates && connectives[next] || s.dictatesAll && !beginners[next]
}

// beginners are the words with which sentences begin; before them the engine's point is believed.
var beginners = wordSet("he she they it there the his her their we i this that these patient no not if a an on in mr mrs ms")

// connectives do not begin a sentence of somebody who dictates the marks.
var connectives = wordSet("with and or but which who whose nor without in of to for at on by from")

// longPause, in seconds, after the end of a sentence begins a paragraph for those who dictate without commands.
const longPause = 4.0

// sentencePause, in seconds, before a capital shows that a sentence ended though the engine wrote no mark.
const sentencePause = 0.3

// pauseBreak sets what the speaker only paused for: the end of a sentence where the engine began a new one without writing
// it, and a new paragraph.
func (s *scanner) pauseBreak() {
	last, t := s.last(), s.tokens[s.at]
	if last != nil && last.kind == itemWord && last.trail == "" && !s.dictates && t.pause >= sentencePause &&
		smallWords[t.key] && startsUpper(t.core) && !s.shouted[s.at] && t.key != "i" {
		s.add(item{kind: itemMark, text: ".", layout: true})
	}
	if s.tokens[s.at].pause >= longPause && last != nil && last.kind == itemWord && strings.ContainsAny(last.trail, sentenceEnds) && s.inProse() {
		s.add(item{kind: itemBreak, text: "\n\n", layout: true})
	}
}

// inProse says that the section is laid out as sentences and paragraphs.
func (s *scanner) inProse() bool {
	section, ok := s.tpl.Section(s.section)
	return !ok || section.Layout == "" || section.Layout == templates.Prose
}

// noise says that a token is the engine's description of a sound: "[BLANK_AUDIO]", "(coughs)".
func noise(raw string) bool {
	raw = strings.Trim(raw, ".,")
	if len(raw) < 3 {
		return false
	}
	if raw[0] == '[' && raw[len(raw)-1] == ']' || raw[0] == '*' && raw[len(raw)-1] == '*' {
		return true
	}
	return raw[0] == '(' && raw[len(raw)-1] == ')' && noises[strings.ToLower(raw[1:len(raw)-1])]
}

var noises = wordSet("coughs coughing cough music silence noise laughs laughter sighs sigh inaudible beep clicking static applause " +
	"typing breathing sniffs")

func plainWords(tokens []token) string {
	words := make([]string, len(tokens))
	for i, t := range tokens {
		words[i] = t.core
	}
	return strings.Join(words, " ")
}
