package notes

import "strings"

// RequestKind says what the speaker asks of the office.
type RequestKind string

// The kinds of request.
const (
	RequestStat   RequestKind = "stat"   // the dictation is urgent
	RequestReview RequestKind = "review" // a person should check what was just said
)

// Request is something that the speaker asks of the office and that is no part of the note.
type Request struct {
	Kind  RequestKind `json:"kind"`
	Text  string      `json:"text"`  // as heard
	Start float64     `json:"start"` // seconds in the recording
	End   float64     `json:"end"`
	Words []int       `json:"words,omitempty"` // places in the transcript
}

// Copy is somebody who gets a copy of the note.
type Copy struct {
	To    string  `json:"to"`   // as said: "Dr. Patel"
	Text  string  `json:"text"` // the whole request as heard
	Start float64 `json:"start"`
	End   float64 `json:"end"`
	Words []int   `json:"words,omitempty"`
}

// FlagRequest marks what the speaker asked a person to look at.
const FlagRequest FlagKind = "request"

func (s *scanner) request(kind RequestKind, tokens []int) {
	r := Request{Kind: kind, Text: s.heard(tokens), Words: s.words(tokens)}
	r.Start, r.End = s.times(tokens)
	s.requests = append(s.requests, r)
}

// stat carries out "stat dictation".
func (s *scanner) stat(from, to int) {
	s.inheritEnd(to)
	tokens := span(from, to)
	s.request(RequestStat, tokens)
	s.flags = append(s.flags, s.flag(FlagRequest, Notice, s.section, tokens, s.heard(tokens),
		"Spoken as STAT: the author says that this dictation is urgent. Check its priority."))
}

// flagThis carries out "flag this": the sentence before waits for a person.
func (s *scanner) flagThis(from, to int) {
	s.inheritEnd(to)
	tokens := s.tokensBack(from)
	if len(tokens) == 0 {
		tokens = span(from, to)
	}
	s.request(RequestReview, span(from, to))
	s.flags = append(s.flags, s.flag(FlagRequest, Critical, s.section, tokens, s.heard(tokens),
		"The author asks that this is checked (“"+s.heard(span(from, to))+"”)."))
}

// inheritEnd gives the end of the sentence that the engine wrote after a command to the words before it.
func (s *scanner) inheritEnd(to int) {
	last := s.last()
	if last == nil || last.kind != itemWord || !s.tokens[to-1].endsSentence() || strings.ContainsAny(last.trail, sentenceEnds) {
		return
	}
	last.trail = strings.TrimRight(last.trail, ",;") + "."
}

var personWords = wordSet("doctor doctors dr drs mr mrs ms miss mister professor prof nurse np pa physician cardiologist surgeon oncologist " +
	"pulmonologist neurologist nephrologist gastroenterologist endocrinologist psychiatrist dermatologist urologist gynecologist " +
	"obstetrician pediatrician orthopedist rheumatologist hematologist ophthalmologist podiatrist referring primary pcp family dentist " +
	"pharmacy school employer insurance attorney clinic hospice patient patients records chart office therapist provider parents")

var ownWordsOfPeople = wordSet("the his her my our their to both all patients")

// personAt says that a person or an office is named at token i.
func (s *scanner) personAt(i int) bool {
	for ownWordsOfPeople[s.key(i)] && !personWords[s.key(i)] {
		i++
	}
	return personWords[s.key(i)] || i < len(s.tokens) && s.named[s.key(i)]
}

// needsCopy wants somebody to be named after the command, and a new phrase to begin with it.
func needsCopy(s *scanner, i, n int) bool {
	if !s.personAt(i + n) {
		return false
	}
	switch s.key(i) {
	case "see":
		return s.boundary(i) && titledPerson[s.key(i+n)]
	case "c", "cc", "copy", "copies", "carbon", "copied":
		return s.boundary(i) || s.aloneBefore(i) && i > 0 && !numberLike(s.key(i-1))
	}
	return s.boundary(i) || s.aloneBefore(i) || s.key(i) == "send" && s.key(i-1) == "please" || s.key(i) == "send" && s.key(i-1) == "will"
}

var titledPerson = wordSet("doctor dr mr mrs ms")

// copyTo carries out "c c Doctor Patel". A short request becomes a line of its own; a whole sentence stays one.
func (s *scanner) copyTo(c *command, from, to int) int {
	end := s.peopleEnd(to)
	s.addCopies(from, to, end)
	if k := s.key(from); k == "send" || k == "please" || k == "with" || k == "forward" || k == "copied" {
		for t := from; t < end; t++ {
			s.word(t)
		}
		return end
	}
	back := s.section
	if copies, ok := s.tpl.Section("copies"); ok && copies.Key != back {
		s.open(copies.Key)
	} else {
		back = ""
	}
	s.dropComma()
	s.add(item{kind: itemLabel, text: "cc:", tokens: span(from, to), command: c.name})
	for t := to; t < end; t++ {
		if mark, n := s.commandAt(t); mark != nil && mark.act == actMark && t+n <= end {
			s.commandOf[t] = mark.name
			s.mark(mark, span(t, t+n))
			t += n - 1
			continue
		}
		s.word(t)
	}
	if mark, n := s.commandAt(end); mark != nil && mark.act == actMark && mark.text == "." {
		s.commandOf[end] = mark.name
		s.mark(mark, span(end, end+n))
		end += n
	}
	s.add(item{kind: itemBreak, text: "\n", layout: true})
	if back != "" {
		s.open(back)
	}
	return end
}

// mostPeople is the largest number of words that name who gets a copy.
const mostPeople = 16

// peopleEnd is the token after the names that begin at token i: where the sentence or the breath ends.
func (s *scanner) peopleEnd(i int) int {
	j := i
	for j < len(s.tokens) && j < i+mostPeople {
		if j > i {
			if c, _ := s.commandAt(j); c != nil && c.text != "," || s.tokens[j].pause >= surePause {
				break
			}
		}
		j++
		if s.tokens[j-1].endsSentence() {
			break
		}
	}
	return j
}

// addCopies records the people who get a copy, named from token to on.
func (s *scanner) addCopies(from, to, end int) {
	begin := to
	for begin < end && s.key(begin) == "to" {
		begin++
	}
	add := func(a, b int) {
		if a >= b {
			return
		}
		tokens := span(from, end)
		cp := Copy{To: s.namesIn(a, b), Text: s.heard(tokens), Words: s.words(tokens)}
		cp.Start, cp.End = s.times(tokens)
		s.copies = append(s.copies, cp)
	}
	for j := begin; j < end; j++ {
		and := (s.key(j) == "and" || s.key(j) == "comma") && s.personAt(j+1)
		if and {
			add(begin, j)
			begin = j + 1
		} else if s.tokens[j].mark() == "," && s.personAt(j+1) {
			add(begin, j+1)
			begin = j + 1
		}
	}
	add(begin, end)
}

// namesIn are the words of tokens without dictated commas.
func (s *scanner) namesIn(from, to int) string {
	var out []string
	for t := from; t < to; t++ {
		if s.key(t) == "comma" && len(out) > 0 {
			out[len(out)-1] = strings.TrimRight(out[len(out)-1], ",") + ","
			continue
		}
		out = append(out, s.tokens[t].raw)
	}
	return strings.TrimRight(strings.Join(out, " "), ".,;:")
}
