package numbers_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vesper/notes/numbers"
)

// read splits a line into words and the marks after them.
func read(line string) []numbers.Word {
	var words []numbers.Word
	for _, f := range strings.Fields(line) {
		text := strings.TrimRight(f, ",;:?!")
		if strings.HasSuffix(text, ".") && strings.Count(text, ".") == 1 {
			text = strings.TrimSuffix(text, ".")
		}
		words = append(words, numbers.Word{Text: text, Mark: strings.TrimPrefix(f, text)})
	}
	return words
}

// rewrite applies the edits to a line.
func rewrite(line string) (string, []numbers.Edit) {
	words := read(line)
	edits := numbers.Rewrite(words)
	var out []string
	at := 0
	for _, e := range edits {
		for ; at < e.From; at++ {
			out = append(out, words[at].Text+words[at].Mark)
		}
		if e.Doubt != "" {
			continue
		}
		out = append(out, e.Text+words[e.To-1].Mark)
		at = e.To
	}
	for ; at < len(words); at++ {
		out = append(out, words[at].Text+words[at].Mark)
	}
	return strings.Join(out, " "), edits
}

func TestEveryRuleDoesWhatItsExamplesSay(t *testing.T) {
	t.Parallel()
	for _, rule := range numbers.Rules() {
		for _, e := range rule.Examples {
			if got, _ := rewrite(e.Said); got != e.Written {
				t.Errorf("%s: %q became %q, want %q", rule.Name, e.Said, got, e.Written)
			}
		}
	}
}

func TestWhatIsWrittenWellPassesThroughUnchanged(t *testing.T) {
	t.Parallel()
	for _, rule := range numbers.Rules() {
		for _, e := range rule.Examples {
			if got, _ := rewrite(e.Written); got != e.Written {
				t.Errorf("%s: %q became %q", rule.Name, e.Written, got)
			}
		}
	}
}

// say spells a whole number under a million as people say it.
func say(n int) string {
	small := []string{
		"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
		"thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
	}
	tens := []string{"", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"}
	switch {
	case n < 20:
		return small[n]
	case n < 100 && n%10 == 0:
		return tens[n/10]
	case n < 100:
		return tens[n/10] + " " + small[n%10]
	case n < 1000 && n%100 == 0:
		return small[n/100] + " hundred"
	case n < 1000:
		return small[n/100] + " hundred " + say(n%100)
	case n%1000 == 0:
		return say(n/1000) + " thousand"
	default:
		return say(n/1000) + " thousand " + say(n%1000)
	}
}

func digitsOnly(s string) string { return strings.ReplaceAll(s, ",", "") }

func TestADoseKeepsItsValueWhateverItIs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 99999).Draw(t, "n")
		spoken, want := say(n), strconv.Itoa(n)
		if places := rapid.IntRange(0, 2).Draw(t, "places"); places > 0 {
			spoken += " point"
			want += "."
			for range places {
				d := rapid.IntRange(0, 9).Draw(t, "digit")
				spoken, want = spoken+" "+say(d), want+strconv.Itoa(d)
			}
			want = strings.TrimSuffix(strings.TrimRight(want, "0"), ".")
		}
		if rapid.Bool().Draw(t, "hyphens") {
			spoken = regexp.MustCompile(`(ty) (one|two|three|four|five|six|seven|eight|nine)`).ReplaceAllString(spoken, "$1-$2")
		}
		got, _ := rewrite("start it at " + spoken + " milligrams daily")
		if digitsOnly(got) != "start it at "+want+" mg daily" {
			t.Fatalf("%q became %q, want %s mg", spoken, got, want)
		}
	})
}

func TestABloodPressureKeepsItsValuesInEveryWayOfSayingIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		high, low := rapid.IntRange(101, 250).Draw(t, "high"), rapid.IntRange(30, 100).Draw(t, "low")
		ways := []string{say(high), strings.Replace(say(high), "hundred ", "hundred and ", 1), strconv.Itoa(high)}
		switch {
		case high%100 >= 10:
			ways = append(ways, say(high/100)+" "+say(high%100))
		case high%100 > 0:
			ways = append(ways, say(high/100)+" oh "+say(high%100))
		}
		spoken := rapid.SampledFrom(ways).Draw(t, "way") + " over " + say(low)
		got, _ := rewrite("blood pressure " + spoken + " today")
		if want := "blood pressure " + strconv.Itoa(high) + "/" + strconv.Itoa(low) + " today"; got != want {
			t.Fatalf("%q became %q", spoken, got)
		}
	})
}

var vocabulary = strings.Fields("zero one two three five ten twelve fifteen nineteen twenty thirty forty-two fifty ninety hundred " +
	"thousand point and a half oh over by to or milligrams mg mcg percent units weeks week year old daily q d hours L T S C 4 5 " +
	"12 120 5.0 .5 1000 march may third second in at plus times edema oriented heart rate pulse grade blood pressure glucose " +
	"tablets p m a one-forty type class NYHA cranial nerves through gauge A slash minus out of pain patient continue x / bid BID")

func TestRewritingTwiceIsRewritingOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom(vocabulary), 1, 12).Draw(t, "words")
		once, _ := rewrite(strings.Join(words, " "))
		twice, _ := rewrite(once)
		if once != twice {
			t.Fatalf("%q became %q, then %q", strings.Join(words, " "), once, twice)
		}
	})
}

func TestDoubtsAreReportedAndTheWordsStay(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"one hundred, twelve micrograms", "twenty thirty milligrams", "MS 4 mg"} {
		got, edits := rewrite(line)
		doubts := 0
		for _, e := range edits {
			if e.Doubt != "" {
				doubts++
			}
		}
		if got != line || doubts != 1 {
			t.Errorf("%q became %q with %d doubts", line, got, doubts)
		}
	}
}

func FuzzRewriteKeepsOrderAndBounds(f *testing.F) {
	for _, rule := range numbers.Rules() {
		for _, e := range rule.Examples {
			f.Add(e.Said)
		}
	}
	f.Fuzz(func(t *testing.T, line string) {
		words := read(line)
		at := 0
		for _, e := range numbers.Rewrite(words) {
			if e.From < at || e.To <= e.From || e.To > len(words) || (e.Text == "") == (e.Doubt == "") {
				t.Fatalf("edit %+v after word %d of %d", e, at, len(words))
			}
			at = e.To
		}
	})
}
