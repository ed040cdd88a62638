package numbers

import "strings"

var (
	scaleWords = set("pain strength motor power reflexes reflex scale score apgar gcs mmse rated rates muscle murmur " +
		"systolic diastolic grade intensity")
	murmurWords = set("murmur systolic diastolic holosystolic crescendo ejection")
	visionWords = set("vision acuity visual eye eyes od os")
	edemaWords  = set("edema pitting pulses pulse reflexes reflex bilaterally symmetric throughout dorsalis radial pedal dtrs and " +
		"patellar protein blood ketones glucose leukocyte femoral peripheral")
	orientedWords = set("oriented alert orientation")
)

// bloodPressure writes "X over Y" as X/Y when both are pressures, and "X slash Y" always.
func bloodPressure(s *scan, i int) (match, bool) {
	high, ok := s.clinical(i)
	if !ok || !high.whole || !s.is(high.next, "over", "slash", "/") || !s.open(high.next) {
		return match{}, false
	}
	low, ok := s.clinical(high.next + 1)
	if !ok || !low.whole {
		return match{}, false
	}
	pressure := high.value >= 60 && high.value <= 300 && low.value >= 20 && low.value <= 200 && high.value > low.value
	dictated := s.at(high.next) != "over" && high.value <= 300 && low.value <= 300
	if !pressure && !dictated {
		return match{}, false
	}
	return match{to: low.next, text: high.text + "/" + low.text}, true
}

// fraction writes "five out of five" and "two over six" where a scale is spoken of.
func fraction(s *scan, i int) (match, bool) {
	part, ok := s.plain(i)
	if !ok || !part.whole {
		return match{}, false
	}
	next := part.next
	switch {
	case s.is(next, "out") && s.is(next+1, "of"):
		next += 2
	case s.is(next, "over"):
		next++
	default:
		return match{}, false
	}
	if !s.open(next - 1) {
		return match{}, false
	}
	of, ok := s.plain(next)
	if !ok || !of.whole || s.crowded(of) {
		return match{}, false
	}
	switch {
	case of.value == 6 && part.value <= 6 && s.ahead(of.next, 4, murmurWords):
		return match{to: of.next, text: romans[part.value] + "/" + romans[6]}, true
	case part.value == 20 && s.nearby(i, 8, visionWords):
	case part.value <= of.value && scaleOf(of.value) && (s.nearby(i, 8, scaleWords) || s.ahead(of.next, 3, scaleWords)):
	default:
		return match{}, false
	}
	return match{to: of.next, text: part.text + "/" + of.text}, true
}

// scaleOf says whether clinical scales end at this number.
func scaleOf(v int64) bool {
	switch v {
	case 4, 5, 6, 10, 15, 27, 30:
		return true
	}
	return false
}

// age writes "sixty two year old" as 62-year-old.
func age(s *scan, i int) (match, bool) {
	n, ok := s.plain(i)
	if !ok || !n.whole || s.crowded(n) || n.next+1 >= len(s.atoms) {
		return match{}, false
	}
	word, old := s.at(n.next), n.next+1
	if !s.is(n.next, word) || !s.is(old, "old") {
		return match{}, false
	}
	switch word {
	case "year", "month", "week", "day":
		return match{to: old + 1, text: n.text + "-" + word + "-old"}, true
	case "years", "months", "weeks", "days":
		if s.is(old+1, "man", "woman", "male", "female", "boy", "girl", "gentleman", "lady", "infant", "child") {
			return match{to: old + 1, text: n.text + "-" + strings.TrimSuffix(word, "s") + "-old"}, true
		}
		return match{to: old + 1, text: n.text + " " + word + " old"}, true
	}
	return match{}, false
}

// plus writes "two plus edema" as 2+ edema.
func plus(s *scan, i int) (match, bool) {
	n, ok := s.plain(i)
	if !ok || !n.whole || n.value < 1 || n.value > 4 || !s.is(n.next, "plus") {
		return match{}, false
	}
	if after := s.at(n.next + 1); after != "" && s.open(n.next) && (s.numeric(n.next+1) || after[0] >= '0' && after[0] <= '9') {
		return match{}, false
	}
	if !s.ahead(n.next+1, 2, edemaWords) && !s.nearby(i, 5, edemaWords) {
		return match{}, false
	}
	return match{to: n.next + 1, text: n.text + "+"}, true
}

// times writes "oriented times three" as x3.
func times(s *scan, i int) (match, bool) {
	if w := s.at(i); (w != "times" && w != "x") || !s.nearby(i, 3, orientedWords) {
		return match{}, false
	}
	n, ok := s.plain(i + 1)
	if !ok || !s.open(i) || !n.whole || n.value < 1 || n.value > 4 {
		return match{}, false
	}
	return match{to: n.next, text: "x" + n.text}, true
}

// nerves writes cranial nerves in Roman numerals.
func nerves(s *scan, i int) (match, bool) {
	if !(s.at(i-1) == "nerves" || s.at(i-1) == "nerve") || s.at(i-2) != "cranial" {
		return match{}, false
	}
	from, ok := s.plain(i)
	if !ok || !from.whole || from.value < 1 || from.value > 12 {
		return match{}, false
	}
	if !s.is(from.next, "through", "to", "and") || !s.open(from.next) {
		return match{to: from.next, text: romans[from.value]}, true
	}
	to, ok := s.plain(from.next + 1)
	if !ok || !to.whole || to.value < 1 || to.value > 12 {
		return match{}, false
	}
	return match{to: to.next, text: romans[from.value] + " " + s.at(from.next) + " " + romans[to.value]}, true
}

// gauge writes needle and catheter sizes.
func gauge(s *scan, i int) (match, bool) {
	n, ok := s.plain(i)
	if !ok || !n.whole || !n.said || s.crowded(n) {
		return match{}, false
	}
	switch {
	case s.is(n.next, "gauge"):
		return match{to: n.next + 1, text: n.text + "-gauge"}, true
	case s.is(n.next, "french"):
		return match{to: n.next + 1, text: n.text + " French"}, true
	}
	return match{}, false
}
