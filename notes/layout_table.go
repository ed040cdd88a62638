package notes

import (
	"strings"

	"vesper/notes/templates"
)

// rowsOf are the names of a table's rows, as words.
func rowsOf(section templates.Section) [][]string {
	var out [][]string
	for _, l := range section.Rows {
		for _, said := range append([]string{l.Heading}, l.Synonyms...) {
			out = append(out, newHeading(said, "", "").words)
		}
	}
	return out
}

// table sets readings on lines of their own: a row's name with the number after it becomes "Name: number …". Everything
// stays in its order; only the marks and the "and" between readings give way to the line break. Sentences that are no
// readings keep their form.
func (s *scanner) table(section templates.Section, items []item) []item {
	if section.Layout != templates.Table || len(section.Rows) == 0 {
		return items
	}
	rows := rowsOf(section)
	var out []item
	found, reading := false, false
	end := func() { // the line of a reading ends without a mark
		if reading {
			var tokens []int
			out, tokens = takeMark(out, sentenceEnds)
			s.section = section.Key
			s.removeTokens(RemovedCommand, tokens)
		}
		reading = false
	}
	for i := 0; i < len(items); {
		n := rowAt(rows, items, i)
		if n == 0 {
			if found && len(out) > 0 && endsSentence(out[len(out)-1]) && items[i].kind == itemWord {
				end()
				out = append(out, item{kind: itemBreak, text: "\n", layout: true})
			}
			if items[i].kind == itemLabel {
				end()
				found, reading = true, true
			}
			out = append(out, items[i])
			i++
			continue
		}
		end()
		var between []int
		out, between = takeBetween(out)
		name := items[i : i+n]
		out = append(out, item{
			kind: itemLabel, text: rowLabel(name) + ":", tokens: append(between, tokensIn(name)...), rule: "table",
		})
		found, reading = true, true
		i += n
	}
	end()
	return out
}

// rowAt is the number of items of the longest name of a row that stands at item i with a number after it.
func rowAt(rows [][]string, items []item, i int) int {
	length := 0
	for _, r := range rows {
		n := 0
		for j := i; n < len(r) && j < len(items) && items[j].kind == itemWord && keyOf(items[j].text) == r[n]; j++ {
			if n++; n < len(r) && items[j].trail != "" {
				n = 0
				break
			}
		}
		if n == len(r) && n > length && i+n < len(items) && items[i+n-1].trail == "" && isValue(items[i+n]) {
			length = n
		}
	}
	return length
}

func isValue(it item) bool {
	return it.kind == itemWord && it.text != "" && it.text[0] >= '0' && it.text[0] <= '9'
}

// takeBetween takes the comma and the "and" before a reading off what is written so far.
func takeBetween(out []item) ([]item, []int) {
	var tokens []int
	if n := len(out); n > 1 && out[n-1].kind == itemWord && keyOf(out[n-1].text) == "and" && out[n-1].trail == "" {
		tokens = append(tokens, out[n-1].tokens...)
		out = out[:n-1]
	}
	out, mark := takeMark(out, ",;")
	return out, append(append([]int{}, mark...), tokens...)
}

// takeMark takes a mark, dictated or the engine's, off the end of what is written so far.
func takeMark(out []item, marks string) ([]item, []int) {
	var tokens []int
	if n := len(out); n > 0 && out[n-1].kind == itemMark && strings.Contains(marks, out[n-1].text) {
		tokens, out = out[n-1].tokens, out[:n-1]
	}
	if n := len(out); n > 0 && out[n-1].kind == itemWord {
		out[n-1].trail = strings.TrimRight(out[n-1].trail, marks)
	}
	return out, tokens
}

// rowLabel is a row's name as it was said; spelled ones and abbreviations in capitals.
func rowLabel(name []item) string {
	said := make([]string, len(name))
	for i, it := range name {
		said[i] = it.text
	}
	words := strings.Join(said, " ")
	if joined := strings.ReplaceAll(words, " ", ""); len(joined) <= 3 && len(joined) > 1 && strings.Trim(keyOf(joined), "bcdfghjklmnpqrstvwxzi") == "" {
		return strings.ToUpper(joined)
	}
	return capitalised(words)
}
