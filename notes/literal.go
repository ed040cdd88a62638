package notes

// setOff is the pause, in seconds, that sets a command off from the words around it.
const setOff = 0.25

var articles = wordSet("a an the this that these those his her their my your its each every any another some no")

var colonBefore = wordSet("the a an ascending descending transverse sigmoid right left distal proximal entire normal of her his " +
	"redundant tortuous whole hepatic splenic remaining remainder total pan rest mid entire visualized for in to into through " +
	"within throughout large spastic perforated toxic examined dilated obstructed and or your my")

// before is the word before token i, "" when the engine or the speaker set a mark between.
func (s *scanner) before(i int) string {
	if i == 0 || s.tokens[i-1].mark() != "" || s.afterMark(i) {
		return ""
	}
	return s.tokens[i-1].key
}

// afterMark says that the last thing written is a dictated mark or a break, so that token i stands alone.
func (s *scanner) afterMark(i int) bool {
	if i != s.at {
		return false
	}
	last := s.last()
	return last == nil || last.kind != itemWord || len(last.tokens) == 0 || last.tokens[len(last.tokens)-1] != i-1
}

// key is the word at token i, "" outside the dictation.
func (s *scanner) key(i int) string {
	if i < 0 || i >= len(s.tokens) {
		return ""
	}
	return s.tokens[i].key
}

// after is the word after a command that ends before token j, "" when the engine set a mark between.
func (s *scanner) after(j int) string {
	if j == 0 || j >= len(s.tokens) || s.tokens[j-1].mark() != "" {
		return ""
	}
	return s.tokens[j].key
}

// aloneAt says that tokens i up to j are set off by the engine's marks or by pauses.
func (s *scanner) aloneAt(i, j int) bool {
	return i == 0 || j >= len(s.tokens) || s.tokens[i-1].mark() != "" || s.tokens[j-1].mark() != "" ||
		s.tokens[i].pause >= setOff || s.tokens[j].pause >= setOff
}

// aloneBoth says that tokens i up to j stand between marks or pauses.
func (s *scanner) aloneBoth(i, j int) bool { return s.aloneBefore(i) && s.aloneAfter(j) }

func numberLike(key string) bool {
	return key != "" && (numberWords[key] || key[0] >= '0' && key[0] <= '9')
}

var numberWords = wordSet("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen " +
	"seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand")

// conditions are what commands need besides their words; the table names them. They say whether tokens i up to i+n can be
// the command.
var conditions = map[string]func(s *scanner, i, n int) bool{
	"alone":    func(s *scanner, i, n int) bool { return s.aloneBoth(i, i+n) },
	"boundary": func(s *scanner, i, _ int) bool { return s.boundary(i) },
	"phrase":   func(s *scanner, i, _ int) bool { return s.boundary(i) || s.aloneBefore(i) },
	"after-figure": func(s *scanner, i, n int) bool {
		k := s.before(i)
		return s.dictates && k != "" && k[0] >= '0' && k[0] <= '9' && s.aloneAfter(i+n)
	},
	"between":    func(s *scanner, i, n int) bool { return i > 0 && i+n < len(s.tokens) },
	"joining":    func(s *scanner, i, n int) bool { return i > 0 && i+n < len(s.tokens) && !s.strongBoundary(i) },
	"comma":      needsComma,
	"colon":      needsColon,
	"slash":      needsSlash,
	"quotation":  needsQuotation,
	"quoting":    needsQuoting,
	"bullet":     func(s *scanner, i, n int) bool { return n > 1 || s.key(i) != "bullet" || s.aloneAt(i, i+1) },
	"cap":        needsCap,
	"scratch":    needsScratch,
	"correction": needsCorrection,
	"block":      needsBlock,
	"numeral":    func(s *scanner, i, n int) bool { _, to := s.numeralAt(i + n); return to > i+n },
	"letters":    needsLetters,
	"copy":       needsCopy,
	"heading":    func(s *scanner, i, n int) bool { _, end := s.backTo(i, n); return end > i },
}

// needsColon wants the word to be set off. At the beginning of a sentence that describes it, it is the gut.
func needsColon(s *scanner, i, n int) bool {
	return (s.aloneAt(i, i+n) || s.dictatesAll && i+n < len(s.tokens)) && !(i > 0 && s.tokens[i-1].endsSentence() && gutFindings[s.key(i+n)])
}

// gutFindings follow the gut in lists of findings: "Colon, normal."
var gutFindings = wordSet("normal unremarkable dilated distended collapsed thickened wall without appears")

func needsComma(s *scanner, i, _ int) bool { return s.key(i) != "coma" || s.misheardComma(i) }

// misheardComma tells the command from a loss of consciousness: this speaker dictates commas, and where "coma" stands the
// engine heard a pause, and no comma was dictated.
func (s *scanner) misheardComma(i int) bool {
	if !s.saysComma || i == 0 || i+1 >= len(s.tokens) || i == s.at && s.afterMark(i) || comaContext[s.key(i-1)] || comaContext[s.key(i+1)] {
		return false
	}
	return s.tokens[i-1].mark() == "," || s.tokens[i].pause >= setOff || s.tokens[i].mark() == "," && s.repeats["coma"]
}

// doubtComa asks a person where "coma" stays a word of somebody who dictates commas, and a pause follows it: "headache,
// comma" sounds like "had a coma".
func (s *scanner) doubtComa(i int) {
	if s.key(i) != "coma" || !s.saysComma || s.tokens[i].mark() != "," || s.comaSaid(i) {
		return
	}
	s.flags = append(s.flags, s.flag(FlagReading, Critical, s.section, []int{i}, "coma",
		"This could be “coma” or the command “comma”: a word with another meaning. Listen to it."))
}

// comaSaid says that the words before leave no doubt: "in a coma", "diabetic coma".
func (s *scanner) comaSaid(i int) bool {
	before := s.key(i - 1)
	if before == "a" || before == "the" {
		return comaContext[s.key(i-2)] || comaContext[s.key(i+1)]
	}
	return comaContext[before]
}

// comaContext are words beside the diagnosis.
var comaContext = wordSet("in into a the deep diabetic myxedema hepatic barbiturate uremic from of hyperosmolar induced glasgow scale score " +
	"state cluster")

// needsSlash leaves "one twenty slash eighty" to the number rules.
func needsSlash(s *scanner, i, n int) bool {
	return i > 0 && i+n < len(s.tokens) && !s.strongBoundary(i) && !(numberLike(s.key(i-1)) && numberLike(s.key(i+n)))
}

// longestQuotation is the number of words in which the end of a quotation is looked for.
const longestQuotation = 40

// needsQuotation wants the end of the quotation to follow, and something in it.
func needsQuotation(s *scanner, i, _ int) bool {
	for j := i + 1; j < len(s.tokens) && j < i+longestQuotation; j++ {
		k := s.key(j)
		if k == "unquote" || k == "un-quote" || k == "quote" && (s.key(j-1) == "end" || s.key(j-1) == "close" || s.key(j-1) == "un" || s.key(j-1) == "closed") {
			return j > i+2 || j == i+2 && k == "unquote"
		}
	}
	return false
}

// needsQuoting wants a quotation to be open where only "unquote" is said.
func needsQuoting(s *scanner, _, n int) bool {
	if n > 1 {
		return true
	}
	open := 0
	for _, it := range s.current().items {
		switch {
		case it.kind == itemOpen && it.text == `"`:
			open++
		case it.kind == itemClose && it.text == `"`:
			open--
		}
	}
	return open > 0
}

func needsCap(s *scanner, i, n int) bool {
	next := s.after(i + n)
	if next == "" || numberLike(s.before(i)) || s.tokens[i].core == "CAP" && !s.shouted[i] {
		return false
	}
	c, _ := s.commandAt(i + n)
	return c == nil
}

// needsScratch wants the less usual wordings to stand alone.
func needsScratch(s *scanner, i, n int) bool {
	switch s.key(i) {
	case "scratch", "strike", "delete", "scratched":
		return s.key(i+1) == "that" || s.aloneAt(i, i+n)
	}
	return s.aloneBoth(i, i+n)
}
