package lexicon

import "sync"

// rule says how letters are read between certain neighbours. The first rule that fits is taken, so that longer and
// narrower ones stand first.
//
// Neighbours are written letter by letter: "^" and "$" are the word's ends, V a vowel letter (with y), C a consonant
// letter, F one of e, i, y, [..] one of several, "." any letter; "" means whatever.
type rule struct {
	letters     string
	left, right string
	sounds      string
}

// readingRules is how English, and above all Greek and Latin words in English, are read. From general knowledge.
var readingRules = []rule{
	// a
	{"augh", "", "t", "A"},
	{"ai", "", "", "E"},
	{"ay", "", "", "E"},
	{"aught", "", "", "At"},
	{"au", "", "", "A"},
	{"aw", "", "", "A"},
	{"ae", "", "", "i"},
	{"ache", "", "$", "Ek"},
	{"aches", "", "$", "Eks"},
	{"alk", "", "", "Ak"},
	{"alm", "", "$", "Am"},
	{"all", "", "$", "Al"},
	{"able", "", "$", "@b@l"},
	{"age", ".C", "$", "IJ"},
	{"are", "C", "$", "er"},
	{"air", "", "", "er"},
	{"ar", "", "[aeiouy]", "ar"},
	{"ar", "", "", "Ar"},
	{"a", "", "Ce$", "E"},
	{"a", "", "Ces$", "E"},
	{"a", "", "tion", "E"},
	{"a", "", "sia", "E"},
	{"a", "", "$", "@"},
	{"a", "^", "C", "a"},
	{"al", "C", "$", "@l"},
	{"a", "", "", "a"},
	// b
	{"bb", "", "", "b"},
	{"b", "m", "$", ""},
	{"b", "e", "t$", ""},
	{"b", "", "", "b"},
	// c
	{"cch", "", "", "k"},
	{"ch", "^", "[lr]", "k"},
	{"ch", "^", "[eo]l", "k"},
	{"ch", "^", "e[ml]", "k"},
	{"ch", "^", "ir", "k"},
	{"ch", "^", "o[rn]", "k"},
	{"ch", "^", "[iy]as", "k"},
	{"ch", "^", "ara", "k"},
	{"ch", "^", "aos", "k"},
	{"ch", "", "[lrnmt]", "k"},
	{"ch", "tra", "", "k"},
	{"ch", "bra", "[iy]", "k"},
	{"ch", "ta", "y", "k"},
	{"ch", "ron", "", "k"},
	{"ch", "psy", "", "k"},
	{"ch", "^ar", "i", "C"},
	{"ch", "tri", "", "k"},
	{"ch", "^e", "o", "k"},
	{"ch", "^te", "", "k"},
	{"ch", "ma", "$", "k"},
	{"ch", "or", "i", "k"},
	{"ch", "is", "", "k"},
	{"ch", "^s", "", "k"},
	{"ch", "ny", "", "k"},
	{"ch", "lei", "", "k"},
	{"ch", "hlo", "", "k"},
	{"ch", "[ae]n", "ym", "k"},
	{"ch", "me", "a", "k"},
	{"ch", "[ao]", "ol", "k"},
	{"ch", "", "ondr", "k"},
	{"ch", "", "ole", "k"},
	{"ch", "", "oid", "k"},
	{"ch", "a", "n[oi]", "k"},
	{"ch", "", "", "C"},
	{"ck", "", "", "k"},
	{"cqu", "", "", "kw"},
	{"cc", "", "F", "ks"},
	{"cc", "", "", "k"},
	{"cz", "^", "", "z"},
	{"ci", "V", "[aou]", "S"},
	{"ci", "[nrl]", "[aou]", "S"},
	{"ce", "", "ous", "S"},
	{"ce", "", "an$", "S"},
	{"cea", "", "$", "si@"},
	{"c", "x", "F", ""},
	{"c", "", "F", "s"},
	{"c", "", "[ao]e", "s"},
	{"c", "", "", "k"},
	// d
	{"dd", "", "", "d"},
	{"dg", "", "[ei]", "J"},
	{"dj", "", "", "J"},
	{"d", "", "ual", "J"},
	{"d", "n", "sh", ""},
	{"d", "", "", "d"},
	// e
	{"ee", "", "", "i"},
	{"ear", "", "ch", "@r"},
	{"ear", "", "[nlt]", "@r"},
	{"ear", "", "", "ir"},
	{"ea", "", "$", "i@"},
	{"ea", "", "d$", "e"},
	{"ea", "", "th", "e"},
	{"ea", "", "lth", "e"},
	{"eal", "C", "$", "i@l"},
	{"eat", "cr", "in", "i@t"},
	{"eat", "r", "C", "it"},
	{"ea", "", "", "i"},
	{"eigh", "", "", "E"},
	{"ei", "", "", "i"},
	{"ey", "", "$", "i"},
	{"ey", "", "", "E"},
	{"eur", "", "", "yur"},
	{"eu", "[rlj]", "", "u"},
	{"eu", "", "", "yu"},
	{"ew", "[rljd]", "", "u"},
	{"ew", "", "", "yu"},
	{"eo", "", "", "io"},
	{"er", "", "$", "@r"},
	{"ers", "", "$", "@rz"},
	{"er", "", "[aeiouy]", "er"},
	{"er", "", "", "@r"},
	{"ed", "[td]", "$", "@d"},
	{"ed", "V[^td]", "$", "d"},
	{"ed", "[ckpsfxh]", "$", "t"},
	{"ed", "C", "$", "d"},
	{"es", "[szxhcg]", "$", "Iz"},
	{"es", "C", "$", "z"},
	{"el", "C", "$", "@l"},
	{"en", "C", "$", "@n"},
	{"e", "^C", "$", "i"},
	{"e", "^CC", "$", "i"},
	{"e", "C", "$", ""},
	{"e", "u", "$", ""},
	{"e", "i", "$", ""},
	{"e", "V", "$", ""},
	{"e", "", "ment$", ""},
	{"e", "[iouay]C", "ly$", ""},
	{"e", "", "Ce$", "i"},
	{"ex", "", "[aeiou]", "egz"},
	{"e", "", "", "e"},
	// f
	{"ff", "", "", "f"},
	{"f", "", "", "f"},
	// g
	{"gg", "", "", "g"},
	{"gh", "^", "", "g"},
	{"gh", "", "", ""},
	{"gn", "^", "", "n"},
	{"gn", "", "$", "n"},
	{"gm", "", "$", "m"},
	{"gu", "", "[ei]", "g"},
	{"g", "", "F", "J"},
	{"g", "", "[ao]e", "J"},
	{"g", "", "", "g"},
	// h
	{"h", "V", "C", ""},
	{"h", "V", "$", ""},
	{"h", "^ex", "", ""},
	{"h", "", "", "h"},
	// i
	{"igh", "", "", "Y"},
	{"ign", "", "$", "Yn"},
	{"ign", "", "m", "Yn"},
	{"ild", "", "$", "Yld"},
	{"ind", "^.", "$", "Ynd"},
	{"ia", "", "$", "i@"},
	{"ia", "", "", "Y@"},
	{"ier", "", "$", "i@r"},
	{"ies", "", "$", "iz"},
	{"ie", "^C", "$", "Y"},
	{"ied", "^C", "$", "Yd"},
	{"iet", "", "", "Y@t"},
	{"ie", "", "", "i"},
	{"io", "", "", "io"},
	{"iu", "", "", "i@"},
	{"ii", "", "", "i"},
	{"ible", "", "$", "@b@l"},
	{"ique", "", "$", "ik"},
	{"ir", "", "[aeiouy]", "Ir"},
	{"ir", "", "", "@r"},
	{"ine", ".V.", "$", "in"},
	{"ine", "..C", "$", "in"},
	{"ines", "..C", "$", "inz"},
	{"ive", ".C", "$", "Iv"},
	{"ice", "..C", "$", "Is"},
	{"i", "", "Ce$", "Y"},
	{"i", "", "Ces$", "Y"},
	{"i", "", "tis$", "Y"},
	{"i", "", "$", "Y"},
	{"i", "^C", "V", "Y"},
	{"i", "", "", "I"},
	// j k l m
	{"j", "", "", "J"},
	{"kn", "^", "", "n"},
	{"kk", "", "", "k"},
	{"kh", "", "", "k"},
	{"k", "", "", "k"},
	{"ll", "", "", "l"},
	{"le", "C", "$", "@l"},
	{"les", "C", "$", "@lz"},
	{"l", "ou", "d$", ""},
	{"l", "", "", "l"},
	{"mm", "", "", "m"},
	{"mn", "^", "", "n"},
	{"mn", "", "$", "m"},
	{"m", "", "", "m"},
	// n
	{"nn", "", "", "n"},
	{"ngth", "", "", "NT"},
	{"ng", "", "$", "N"},
	{"ng", "", "F", "nJ"},
	{"ng", "", "", "Ng"},
	{"nk", "", "", "Nk"},
	{"nx", "", "", "Nks"},
	{"nc", "", "[aouklrt]", "Nk"},
	{"n", "", "", "n"},
	// o
	{"oa", "", "", "o"},
	{"oe", "", "$", "o"},
	{"oes", "", "$", "oz"},
	{"oe", "", "", "i"},
	{"oi", "", "", "O"},
	{"oy", "", "", "O"},
	{"ook", "", "", "uk"},
	{"oor", "", "", "or"},
	{"oo", "", "", "u"},
	{"ough", "", "t", "A"},
	{"ough", "thr", "", "u"},
	{"ough", "", "$", "@f"},
	{"ought", "", "", "At"},
	{"ould", "", "$", "ud"},
	{"ound", "", "", "Wnd"},
	{"our", "", "", "or"},
	{"ous", "", "$", "@s"},
	{"ously", "", "$", "@sli"},
	{"ou", "", "", "W"},
	{"ow", "", "n", "W"},
	{"ow", "[hnc]", "$", "W"},
	{"ow", "", "", "o"},
	{"or", "C", "$", "@r"},
	{"or", "", "", "or"},
	{"old", "", "", "old"},
	{"ong", "", "", "AN"},
	{"on", "C", "$", "@n"},
	{"o", "", "Ce$", "o"},
	{"o", "", "Ces$", "o"},
	{"o", "", "sis", "o"},
	{"o", "", "C[aeiouy]", "o"},
	{"o", "", "$", "o"},
	{"o", "", "V", "o"},
	{"oma", "", "$", "om@"},
	{"o", "", "", "A"},
	// p q r
	{"ph", "", "th", "f"},
	{"phth", "", "", "fT"},
	{"ph", "", "", "f"},
	{"pn", "^", "", "n"},
	{"ps", "^", "", "s"},
	{"pt", "^", "", "t"},
	{"pp", "", "", "p"},
	{"p", "", "", "p"},
	{"qu", "", "", "kw"},
	{"q", "", "", "k"},
	{"rrh", "", "", "r"},
	{"rh", "", "", "r"},
	{"rr", "", "", "r"},
	{"r", "", "", "r"},
	// s
	{"sch", "", "w", "S"},
	{"sch", "", "m", "S"},
	{"sch", "", "", "sk"},
	{"sh", "", "", "S"},
	{"ssion", "", "", "S@n"},
	{"ssur", "", "", "S@r"},
	{"sion", "V", "", "Z@n"},
	{"sion", "r", "", "Z@n"},
	{"sion", "", "", "S@n"},
	{"sure", "V", "", "Z@r"},
	{"sia", "V", "$", "Z@"},
	{"sten", "V", "$", "s@n"},
	{"stl", "V", "e", "s@"},
	{"sci", "", "[aou]", "S"},
	{"sc", "", "F", "s"},
	{"ss", "", "", "s"},
	{"sm", "", "$", "z@m"},
	{"sms", "", "$", "z@mz"},
	{"s", "[bdgvmnlrwy]", "$", "z"},
	{"s", "[aeiou]", "e$", "z"},
	{"s", "", "", "s"},
	// t
	{"tch", "", "", "C"},
	{"stion", "", "", "sC@n"},
	{"tion", "", "", "S@n"},
	{"tious", "", "", "S@s"},
	{"tial", "", "", "S@l"},
	{"tient", "", "", "S@nt"},
	{"tia", "n", "$", "S@"},
	{"tia", "", "t", "SiE"},
	{"tien", "", "", "S@n"},
	{"ture", "", "$", "C@r"},
	{"tures", "", "$", "C@rz"},
	{"tu", "", "[ae]", "Cu"},
	{"thm", "", "$", "D@m"},
	{"th", "^", "[ei]", "T"},
	{"th", "", "er$", "D"},
	{"th", "", "", "T"},
	{"tt", "", "", "t"},
	{"tz", "", "", "ts"},
	{"t", "p", "ch", ""},
	{"t", "", "", "t"},
	// u
	{"ui", "[jrs]", "", "u"},
	{"uy", "", "", "Y"},
	{"ue", "[rl]", "$", "u"},
	{"ue", "", "$", "yu"},
	{"ur", "", "[aeiouy]", "yur"},
	{"ur", "", "", "@r"},
	{"u", "[rlj]", "Ce$", "u"},
	{"u", "", "Ce$", "yu"},
	{"ull", "^.", "$", "ul"},
	{"u", "^", "ni", "yu"},
	{"u", "^", "[rt]", "yu"},
	{"un", "^", "", "@n"},
	{"u", "[bcfhkmpv]", "C[aeiou]", "yu"},
	{"u", "", "C[aeiou]", "u"},
	{"um", "", "$", "@m"},
	{"us", "", "$", "@s"},
	{"u", "", "[ao]", "yu"},
	{"u", "", "$", "u"},
	{"u", "g", "[ei]", ""},
	{"u", "", "", "@"},
	// v w x
	{"vv", "", "", "v"},
	{"v", "", "", "v"},
	{"who", "^", "", "hu"},
	{"wh", "", "", "w"},
	{"wr", "^", "", "r"},
	{"wa", "", "[tsn]", "wA"},
	{"war", "", "C", "wor"},
	{"wor", "", "[kdl]", "w@r"},
	{"w", "", "", "w"},
	{"x", "^", "", "z"},
	{"xc", "", "F", "ks"},
	{"x", "", "", "ks"},
	// y z
	{"y", "^", "V", "y"},
	{"yr", "^hyp", "", "r"},
	{"y", "^.", "$", "Y"},
	{"y", "^..", "$", "Y"},
	{"y", "", "$", "i"},
	{"y", "h", "[pd][eor]", "Y"},
	{"y", "th", "[rm]o", "Y"},
	{"y", "C", "Ce$", "Y"},
	{"yr", "", "V", "Yr"},
	{"yr", "", "C", "@r"},
	{"y", "^[dc]", "C[aeo]", "Y"},
	{"y", "ps", "c", "Y"},
	{"y", "V", "V", "y"},
	{"y", "", "", "I"},
	{"zz", "", "", "z"},
	{"z", "", "", "z"},
}

// set is a set of letters; bit 26 is the edge of the word.
type set uint32

const (
	edge    set = 1 << 26
	letters set = 1<<26 - 1
)

func setOf(s string) set {
	var m set
	for i := range len(s) {
		m |= 1 << (s[i] - 'a')
	}
	return m
}

var vowelLetters = setOf("aeiouy")

// compiled is a rule ready to be tried.
type compiled struct {
	letters     string
	left, right []set
	sounds      string
}

// byLetter holds the rules by their first letter, in order.
var byLetter = sync.OnceValue(func() (index [26][]compiled) {
	for _, r := range readingRules {
		c := compiled{letters: r.letters, left: compile(r.left), right: compile(r.right), sounds: r.sounds}
		index[r.letters[0]-'a'] = append(index[r.letters[0]-'a'], c)
	}
	for i := range index {
		longestFirst(index[i])
	}
	return index
})

// longestFirst moves longer spellings before shorter ones and otherwise keeps the order of the table.
func longestFirst(rules []compiled) {
	for i := 1; i < len(rules); i++ {
		for j := i; j > 0 && len(rules[j].letters) > len(rules[j-1].letters); j-- {
			rules[j], rules[j-1] = rules[j-1], rules[j]
		}
	}
}

func compile(pattern string) []set {
	var out []set
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '^', '$':
			out = append(out, edge)
		case 'V':
			out = append(out, vowelLetters)
		case 'C':
			out = append(out, letters&^vowelLetters)
		case 'F':
			out = append(out, setOf("eiy"))
		case '.':
			out = append(out, letters)
		case '[':
			j := i + 1
			for pattern[j] != ']' {
				j++
			}
			if pattern[i+1] == '^' {
				out = append(out, letters&^setOf(pattern[i+2:j]))
			} else {
				out = append(out, setOf(pattern[i+1:j]))
			}
			i = j
		default:
			out = append(out, setOf(string(c)))
		}
	}
	return out
}

// at is the letter at i as a set of one; outside of the word it is the edge.
func at(word string, i int) set {
	if i < 0 || i >= len(word) {
		return edge
	}
	return 1 << (word[i] - 'a')
}

func (c compiled) fits(word string, i int) bool {
	end := i + len(c.letters)
	if end > len(word) || word[i:end] != c.letters {
		return false
	}
	for k, s := range c.left {
		if at(word, i-len(c.left)+k)&s == 0 {
			return false
		}
	}
	for k, s := range c.right {
		if at(word, end+k)&s == 0 {
			return false
		}
	}
	return true
}
