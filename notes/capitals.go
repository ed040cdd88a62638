package notes

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lettersOf is a text's letters and digits, without case.
func lettersOf(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, text)
}

func capitalised(word string) string {
	r, size := utf8.DecodeRuneInString(word)
	if !unicode.IsLower(r) {
		return word
	}
	return string(unicode.ToUpper(r)) + word[size:]
}

// sentenceCase begins a sentence. Words with capitals inside, like pH, keep their form.
func sentenceCase(word string) string {
	if strings.IndexFunc(word, unicode.IsUpper) > 0 {
		return word
	}
	return capitalised(word)
}

// lowered takes the capital back that the engine gave a word for a sentence that does not begin there.
func lowered(word string) string {
	r, size := utf8.DecodeRuneInString(word)
	if !unicode.IsUpper(r) || strings.IndexFunc(word[size:], unicode.IsUpper) >= 0 || size == len(word) && r != 'A' {
		return word
	}
	return string(unicode.ToLower(r)) + word[size:]
}

// keepCapitals are words with a capital wherever they stand.
var keepCapitals = wordSet("i im ive january february march april may june july august september october november december monday " +
	"tuesday wednesday thursday friday saturday sunday dr mr mrs ms english spanish american african european asian foley babinski " +
	"crohn crohns parkinson parkinsons alzheimer alzheimers graves hodgkin cushing romberg murphy murphys mcburney kernig brudzinski " +
	"tylenol advil motrin lipitor plavix coumadin eliquis xarelto lasix zofran norco percocet ambien xanax zoloft prozac lexapro " +
	"synthroid lantus humalog novolog ozempic jardiance metamucil benadryl zyrtec claritin flonase augmentin keflex bactrim medicare " +
	"medicaid christmas thanksgiving")

// smallWords never have a capital inside a sentence.
var smallWords = wordSet("a an the and or but nor with without of in on at by for to from as is are was were be been has have had he she " +
	"it they we his her their its this that these those there then than no not none so if when while which who also both each all " +
	"admitted denies denied reports reported states stated right left bilateral " +
	"heart pulse blood oxygen respiratory temperature weight room")

// readCapitals learns from the whole transcript which words the engine takes for names, and where it wrote Like a Headline.
func (s *scanner) readCapitals() {
	s.named, s.shouted = map[string]bool{}, make([]bool, len(s.tokens))
	const reach = 4 // words on each side
	for i := range s.tokens {
		large, all := 0, 0
		for j := max(0, i-reach); j <= min(len(s.tokens)-1, i+reach); j++ {
			if j > 0 && s.tokens[j-1].endsSentence() || !startsWithLetter(s.tokens[j].core) || smallWords[s.tokens[j].key] {
				continue
			}
			all++
			if startsUpper(s.tokens[j].core) {
				large++
			}
		}
		s.shouted[i] = large >= 4 && large*10 >= all*8
	}
	for i, t := range s.tokens {
		if i > 0 && !s.shouted[i] && !s.tokens[i-1].endsSentence() && startsUpper(t.core) {
			s.named[t.key] = true
		}
	}
}

func startsWithLetter(word string) bool {
	r, _ := utf8.DecodeRuneInString(word)
	return unicode.IsLetter(r)
}

func startsUpper(word string) bool {
	r, _ := utf8.DecodeRuneInString(word)
	return unicode.IsUpper(r)
}

// falseCapital says that the engine wrote token i with a capital only because it thought that a sentence began there, or in
// a stretch where it wrote every word with one.
func (s *scanner) falseCapital(i int) bool {
	t := s.tokens[i]
	if i == 0 || keepCapitals[t.key] || keepCapitals[strings.TrimSuffix(t.key, "s")] || titles[s.key(i-1)] {
		return false
	}
	if smallWords[t.key] || drugLike(t.core) {
		return s.dictates || s.shouted[i]
	}
	return !s.named[t.key] && (s.shouted[i] || s.tokens[i-1].endsSentence())
}
