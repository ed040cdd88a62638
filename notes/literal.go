package notes

import "strings"

// setOff is the pause, in seconds, that sets a command off from the words around it.
const setOff = 0.25

var (
	articles    = wordSet("a an the this that these those his her their my your its each every any another some no")
	determiners = wordSet("a an the this that each every any another his her their my last first past next over during for same")
	// durations are adjectives of "period", with no other use before the command.
	durations = wordSet("menstrual incubation gestational latency latent refractory washout grace waiting observation perinatal " +
		"neonatal qualifying trial reporting prolonged extended brief lengthy")
	// phases come before "period" in phrases with an article: "in the postoperative period".
	phases = wordSet("postoperative postop perioperative preoperative recovery postpartum healing time follow-up followup treatment " +
		"short long entire study quiet critical postprandial intervening interim early late whole")
	spanNouns = wordSet("day week month year hour minute night")

	colonBefore = wordSet("the a an ascending descending transverse sigmoid right left distal proximal entire normal of her his " +
		"redundant tortuous whole hepatic splenic remaining remainder total pan rest mid entire visualized for in to into through " +
		"within throughout large spastic perforated toxic examined dilated obstructed and or your my")
	colonAfter = wordSet("cancer cancers carcinoma adenocarcinoma polyp polyps resection mass screening surgery was is and or appears " +
		"appeared wall mucosa tissue prep preparation tumor lesion lesions biopsy biopsies anastomosis with to were showed shows had " +
		"has resected neoplasm perforation obstruction contents")
	lineAfter   = wordSet("of was were is placed placement in into therapy treatment drug agent medication")
	lineBefore  = wordSet("a the this another his her central arterial picc iv peripheral place placed of")
	bulletAfter = wordSet("wound wounds hole holes fragment fragments was is in entered injury vote vests")
	capAfter    = wordSet("refill was is of on and off gun")
)

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

func afterArticle(s *scanner, i, _ int) bool { return articles[s.before(i)] }

// literalPeriod keeps "menstrual period", "a period of two weeks" and "over a six week period".
func literalPeriod(s *scanner, i, n int) bool {
	if n > 1 {
		return false
	}
	if s.after(i+1) == "of" && s.key(i+2) != "note" {
		return true
	}
	before := s.before(i)
	switch {
	case before == "":
		return false
	case articles[before] || durations[before]:
		return true
	case phases[before]:
		return determiners[s.key(i-2)] || determiners[s.key(i-3)]
	case spanNouns[before]:
		return s.key(i-2) != "one" && numberLike(s.key(i-2)) || numberLike(s.key(i-2)) && determiners[s.key(i-3)]
	}
	dash := strings.LastIndex(before, "-")
	return dash > 0 && spanNouns[before[dash+1:]]
}

func numberLike(key string) bool {
	return key != "" && (numberWords[key] || key[0] >= '0' && key[0] <= '9')
}

var numberWords = wordSet("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen " +
	"seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand")

func literalComma(s *scanner, i, _ int) bool {
	if s.key(i) == "coma" {
		return !s.misheardComma(i)
	}
	return strings.HasPrefix(s.after(i+1), "shaped") || articles[s.before(i)] || s.before(i) == "inverted"
}

// misheardComma tells the command from a loss of consciousness: this speaker dictates commas, and where "coma" stands the
// engine heard a pause, and no comma was dictated.
func (s *scanner) misheardComma(i int) bool {
	if !s.saysComma || i == 0 || i+1 >= len(s.tokens) || i == s.at && s.afterMark(i) {
		return false
	}
	return s.tokens[i-1].mark() == "," || s.tokens[i].pause >= setOff
}

// literalColon is the gut, unless the word is set off or introduces something. After a heading it never gets here.
func literalColon(s *scanner, i, _ int) bool {
	before := s.before(i)
	switch {
	case before == "follows" || before == "following":
		return false
	case colonBefore[before] || colonAfter[s.after(i+1)]:
		return true
	}
	return !s.aloneAt(i, i+1)
}

func literalDash(s *scanner, i, _ int) bool {
	return articles[s.before(i)] || s.after(i+1) == "of" || i == 0 || i+1 >= len(s.tokens)
}

// literalSlash leaves "one twenty slash eighty" to the number rules.
func literalSlash(s *scanner, i, n int) bool {
	return articles[s.before(i)] || i == 0 || i+n >= len(s.tokens) || numberLike(s.key(i-1)) && numberLike(s.key(i+n))
}

// literalQuote wants the end of the quotation to follow.
func literalQuote(s *scanner, i, _ int) bool {
	if articles[s.before(i)] {
		return true
	}
	for j := i + 1; j < len(s.tokens) && j < i+40; j++ {
		if k := s.key(j); k == "unquote" || (k == "quote" && (s.key(j-1) == "end" || s.key(j-1) == "close" || s.key(j-1) == "un")) {
			return false
		}
	}
	return true
}

// literalLine keeps "new line of therapy" and "a new line was placed".
func literalLine(s *scanner, i, n int) bool {
	return lineBefore[s.before(i)] || lineAfter[s.after(i+n)]
}

func literalBullet(s *scanner, i, n int) bool {
	if articles[s.before(i)] || bulletAfter[s.after(i+n)] {
		return true
	}
	return n == 1 && s.key(i) == "bullet" && !s.aloneAt(i, i+1)
}

func literalCap(s *scanner, i, _ int) bool {
	next := s.after(i + 1)
	return articles[s.before(i)] || next == "" || capAfter[next] || s.before(i) == "knee" || s.before(i) == "mob" || numberLike(s.before(i))
}

func literalScratch(s *scanner, i, n int) bool {
	switch s.after(i + n) {
	case "itch", "itches", "itched":
		return true
	}
	return s.before(i) == "to" || s.before(i) == "a" || s.before(i) == "the"
}
