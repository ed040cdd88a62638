package notes

import "strings"

// action says what a spoken command does.
type action int

const (
	actMark      action = iota // write a mark after the word before
	actJoin                    // write a mark that joins the words around it
	actDash                    // write a mark with spaces around it
	actOpen                    // open a bracket or quotation
	actClose                   // close it
	actLine                    // new line
	actParagraph               // new paragraph
	actSection                 // the template's next section
	actNextItem                // the next number of a list
	actBullet                  // a bullet
	actCap                     // the next word with a capital
	actAllCaps                 // the next word in capitals
	actCapsOn
	actCapsOff
	actScratch // take back what was said since the last pause or sentence
	actBlank   // leave a blank
	actEnd     // end of dictation
)

// command is one spoken command: its wordings, as said and as engines hear them, what it writes, and when the words are
// meant literally.
type command struct {
	name    string
	said    []string
	act     action
	text    string
	literal func(s *scanner, i, n int) bool // nil: never
}

// commandTable lists the commands. Where wordings begin alike the longest wins.
func commandTable() []command {
	return []command{
		{"period", []string{"period", "full stop", "fullstop", "peroid", "period period"}, actMark, ".", literalPeriod},
		{"comma", []string{"comma", "comat", "kama", "commah", "coma"}, actMark, ",", literalComma},
		{"colon", []string{"colon"}, actMark, ":", literalColon},
		{"semicolon", []string{"semicolon", "semi colon", "semi-colon"}, actMark, ";", afterArticle},
		{"question mark", []string{"question mark"}, actMark, "?", afterArticle},
		{"exclamation mark", []string{"exclamation mark", "exclamation point"}, actMark, "!", afterArticle},
		{"hyphen", []string{"hyphen"}, actJoin, "-", afterArticle},
		{"dash", []string{"dash"}, actDash, "-", literalDash},
		{"slash", []string{"slash", "forward slash"}, actJoin, "/", literalSlash},
		{"open parenthesis", []string{
			"open paren", "open parenthesis", "open parentheses", "left paren", "left parenthesis", "open bracket", "open parens",
		}, actOpen, "(", nil},
		{"close parenthesis", []string{
			"close paren", "close parenthesis", "close parentheses", "closed paren", "closed parenthesis", "closed parentheses",
			"right paren", "right parenthesis", "close bracket", "end paren", "end parenthesis", "close parens",
		}, actClose, ")", nil},
		{"open quote", []string{"open quote", "begin quote", "open quotes", "open quotation"}, actOpen, `"`, nil},
		{"close quote", []string{
			"close quote", "end quote", "close quotes", "end quotes", "unquote", "un quote", "closed quote", "close quotation",
		}, actClose, `"`, nil},
		{"quote", []string{"quote"}, actOpen, `"`, literalQuote},
		{"new line", []string{"new line", "next line", "newline"}, actLine, "\n", literalLine},
		{"new paragraph", []string{
			"new paragraph", "next paragraph", "new paragraphs", "newparagraph", "new para graph", "new pair of graph",
			"new pair of graphs", "new pair graph", "new pair a graph", "new parograph",
		}, actParagraph, "\n\n", afterArticle},
		{"next section", []string{"next section", "next heading"}, actSection, "", afterArticle},
		{"next number", []string{"next number", "new number", "next item"}, actNextItem, "", afterArticle},
		{"bullet", []string{"bullet point", "next bullet", "new bullet", "bullet"}, actBullet, "- ", literalBullet},
		{"caps on", []string{"caps on", "all caps on"}, actCapsOn, "", nil},
		{"caps off", []string{"caps off", "all caps off", "no caps"}, actCapsOff, "", nil},
		{"all caps", []string{"all caps", "all cap"}, actAllCaps, "", nil},
		{"cap", []string{"cap", "capital"}, actCap, "", literalCap},
		{"scratch that", []string{
			"scratch that", "strike that", "delete that", "scratched that", "scratch this", "scratch at",
		}, actScratch, "", literalScratch},
		{"leave a blank", []string{"leave a blank", "leave blank", "leave a blank here", "insert a blank", "insert blank"}, actBlank, "", nil},
		{"end of dictation", []string{
			"end of dictation", "end dictation", "end of the dictation", "end of note", "this is the end of the dictation",
			"that is the end of the dictation", "thats the end of the dictation", "end of this dictation",
		}, actEnd, "", nil},
	}
}

// phrase is one wording of a command, split into words.
type phrase struct {
	words   []string
	command *command
}

// phrasesOf indexes the wordings by their first word, longest first.
func phrasesOf(table []command) map[string][]phrase {
	index := map[string][]phrase{}
	for i := range table {
		for _, said := range table[i].said {
			p := phrase{words: strings.Fields(said), command: &table[i]}
			list := index[p.words[0]]
			at := 0
			for at < len(list) && len(list[at].words) >= len(p.words) {
				at++
			}
			index[p.words[0]] = append(list[:at:at], append([]phrase{p}, list[at:]...)...)
		}
	}
	return index
}
