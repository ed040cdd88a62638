package notes

// itemKind says what an item writes.
type itemKind int

const (
	itemWord   itemKind = iota
	itemMark            // a dictated mark after the word before
	itemJoin            // a mark that joins its neighbours
	itemOpen            // an opening bracket or quotation mark
	itemClose           // a closing one
	itemBreak           // new line or paragraph
	itemNumber          // the number of a list item
	itemLabel           // a sub-heading
	itemBlank           // a blank
	itemBlock           // a text block of the author
)

// caps says how a word's letters are written, as dictated.
type caps int

const (
	capsAsIs caps = iota
	capsFirst
	capsAll
	capsNone
)

// item is one thing to write, with the places of the words it comes from.
type item struct {
	kind    itemKind
	text    string
	tokens  []int
	lead    string // the engine's opening marks
	trail   string // the engine's closing marks
	caps    caps
	rule    string     // number rule that wrote the text
	command string     // name of the spoken command that wrote the text
	block   *TextBlock // the author's text that is inserted
	layout  bool       // not dictated: a break that the template or a pause makes
	start   float64
	end     float64 // of a blank
}

// segment is what was dictated under one heading, before the next.
type segment struct {
	section string
	items   []item
	goesOn  bool // the speaker came back to the section: no paragraph begins
	free    bool // without a heading: its text goes where its content belongs
	headed  bool // under a heading of its own
	hinted  bool // its first words name the section ("Medications include …")
}

// doubt is a number that can be read in two ways.
type doubt struct {
	section string
	tokens  []int
	detail  string
}
