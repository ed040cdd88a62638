package numbers_test

import (
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vesper/notes/numbers"
	"vesper/notes/style"
)

// say spells a whole number under a million as people say it.
func say(n int) string {
	small := strings.Fields("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen " +
		"seventeen eighteen nineteen")
	tens := strings.Fields("- - twenty thirty forty fifty sixty seventy eighty ninety")
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

// clinic spells hundreds as they are spoken in clinics: "one forty two", "one oh four".
func clinic(n int) string {
	switch low := n % 100; {
	case n < 100 || n > 999 || low == 0:
		return say(n)
	case low < 10:
		return say(n/100) + " oh " + say(low)
	default:
		return say(n/100) + " " + say(low)
	}
}

// decimals spells figures one by one.
func decimals(text string) string {
	var out []string
	for _, r := range text {
		out = append(out, say(int(r-'0')))
	}
	return strings.Join(out, " ")
}

// spoken is a number with all that may happen to it on its way through an engine: words, figures, hyphens, the end of one.
func spoken(t *rapid.T, n int) string {
	switch rapid.SampledFrom([]string{"words", "figures", "hyphens", "and"}).Draw(t, "form") {
	case "figures":
		return strconv.Itoa(n)
	case "hyphens":
		return regexp.MustCompile(`(ty) (one|two|three|four|five|six|seven|eight|nine)`).ReplaceAllString(say(n), "$1-$2")
	case "and":
		return strings.Replace(say(n), "hundred ", "hundred and ", 1)
	}
	return say(n)
}

func TestADoseKeepsItsValueWhateverItIs(t *testing.T) {
	t.Parallel()
	units := map[string]string{"milligrams": "mg", "mg": "mg", "micrograms": "mcg", "µg": "mcg", "units": "units", "mL": "mL", "grams": "g"}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 99999).Draw(t, "n")
		said, want := spoken(t, n), strconv.Itoa(n)
		if places := rapid.IntRange(0, 2).Draw(t, "places"); places > 0 {
			figures := rapid.StringMatching(`[0-9]{`+strconv.Itoa(places)+`}`).Draw(t, "figures")
			said, want = say(n)+" point "+decimals(figures), strings.TrimSuffix(strings.TrimRight(want+"."+figures, "0"), ".")
			if places == 0 || strings.Trim(figures, "0") == "" {
				want = strconv.Itoa(n)
			}
		}
		unit := rapid.SampledFrom([]string{"milligrams", "mg", "micrograms", "µg", "units", "mL", "grams"}).Draw(t, "unit")
		got, _ := rewrite("start it at " + said + " " + unit + " daily")
		if strings.ReplaceAll(got, ",", "") != "start it at "+want+" "+units[unit]+" daily" {
			t.Fatalf("%q became %q, want %s", said+" "+unit, got, want)
		}
		if n >= 1000 && !strings.Contains(got, ",") || strings.Contains(got, ".0 ") {
			t.Fatalf("%q is not written safely", got)
		}
	})
}

func TestADoseUnderOneHasItsZero(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		figures := rapid.StringMatching(`[0-9]{0,2}[1-9]`).Draw(t, "figures")
		said := rapid.SampledFrom([]string{"point ", "zero point ", "oh point "}).Draw(t, "zero") + decimals(figures)
		if strings.HasPrefix(said, "oh") {
			said = "." + figures
		}
		got, _ := rewrite("give " + said + " milligrams")
		if got != "give 0."+figures+" mg" {
			t.Fatalf("%q became %q", said, got)
		}
	})
}

func TestABloodPressureKeepsItsValuesInEveryWayOfSayingIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		high, low := rapid.IntRange(101, 250).Draw(t, "high"), rapid.IntRange(30, 100).Draw(t, "low")
		top := rapid.SampledFrom([]string{spoken(t, high), clinic(high)}).Draw(t, "top")
		bottom := rapid.SampledFrom([]string{say(low), strconv.Itoa(low)}).Draw(t, "bottom")
		link := rapid.SampledFrom([]string{"over", "slash", "over"}).Draw(t, "link")
		label := rapid.SampledFrom([]string{"blood pressure", "BP", "BP is", "repeat"}).Draw(t, "label")
		got, _ := rewrite(label + " " + top + " " + link + " " + bottom + " today")
		if want := label + " " + strconv.Itoa(high) + "/" + strconv.Itoa(low) + " today"; got != want {
			t.Fatalf("%q became %q", top+" "+link+" "+bottom, got)
		}
	})
}

func TestLabelledNumbersKeepTheirValues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 999).Draw(t, "n")
		label := rapid.SampledFrom([]string{"heart rate", "glucose is", "platelets were", "O2 sat", "sodium of", "weight"}).Draw(t, "label")
		said := rapid.SampledFrom([]string{spoken(t, n), clinic(n)}).Draw(t, "said")
		want := strconv.Itoa(n)
		if figures := rapid.StringMatching(`[0-9]{0,2}`).Draw(t, "figures"); figures != "" {
			said, want = clinic(n)+" point "+decimals(figures), want+"."+figures
		}
		if got, _ := rewrite("his " + label + " " + said); got != "his "+label+" "+want {
			t.Fatalf("%q became %q", label+" "+said, got)
		}
	})
}

func TestRangesKeepBothEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.IntRange(1, 98).Draw(t, "a")
		b := rapid.IntRange(a+1, 99).Draw(t, "b")
		link := rapid.SampledFrom([]string{"to", "or"}).Draw(t, "link")
		got, _ := rewrite("take " + spoken(t, a) + " " + link + " " + spoken(t, b) + " milligrams")
		if want := "take " + strconv.Itoa(a) + " " + link + " " + strconv.Itoa(b) + " mg"; got != want {
			t.Fatalf("%q, want %q", got, want)
		}
	})
}

func TestDatesKeepTheirDayMonthAndYearInEveryStyle(t *testing.T) {
	t.Parallel()
	months := strings.Fields("January February March April May June July August September October November December")
	days := strings.Fields("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth " +
		"fifteenth sixteenth seventeenth eighteenth nineteenth twentieth")
	rapid.Check(t, func(t *rapid.T) {
		month, day := rapid.SampledFrom(months).Draw(t, "month"), rapid.IntRange(1, 31).Draw(t, "day")
		year := rapid.IntRange(1920, 2059).Draw(t, "year")
		ordinal := map[bool]func() string{
			true: func() string { return days[day-1] }, false: func() string {
				if day == 30 {
					return "thirtieth"
				}
				return say(day/10*10) + " " + days[day%10-1]
			},
		}[day <= 20]()
		said := month + " " + ordinal + " " + sayYear(year)
		us, _ := rewrite("seen on " + said)
		if want := "seen on " + month + " " + strconv.Itoa(day) + ", " + strconv.Itoa(year); us != want {
			t.Fatalf("%q became %q", said, us)
		}
		gb, err := style.Find("en-GB")
		if err != nil {
			t.Fatal(err)
		}
		got, _ := rewriteIn(gb, "seen on "+said)
		if want := "seen on " + strconv.Itoa(day) + " " + month + " " + strconv.Itoa(year); got != want {
			t.Fatalf("%q became %q", said, got)
		}
	})
}

func sayYear(y int) string {
	switch {
	case y >= 2000 && y < 2010:
		return strings.TrimSpace("two thousand " + strings.TrimPrefix(say(y-2000), "zero"))
	case y%100 < 10:
		return say(y/100) + " oh " + say(y%100)
	}
	return say(y/100) + " " + say(y%100)
}

func TestTimesKeepTheirHourAndMinute(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		hour, minute := rapid.IntRange(1, 12).Draw(t, "hour"), rapid.IntRange(1, 59).Draw(t, "minute")
		half := rapid.SampledFrom([]string{"a m", "p m", "am", "p.m."}).Draw(t, "half")
		said := say(hour) + " " + say(minute)
		if minute < 10 {
			said = say(hour) + " oh " + say(minute)
		}
		got, _ := rewrite("seen at " + said + " " + half)
		want := strconv.Itoa(hour) + ":" + strings.Repeat("0", 2-len(strconv.Itoa(minute))) + strconv.Itoa(minute)
		if got != "seen at "+want+" "+strings.ToUpper(half[:1])+"M" {
			t.Fatalf("%q became %q", said+" "+half, got)
		}
	})
}

// hundreds puts the one before "hundred" that people leave out.
func hundreds(text string) string {
	words := strings.Fields(strings.ReplaceAll(text, "-", " "))
	for i, w := range words {
		if (w == "hundred" || w == "thousand") && (i == 0 || figuresOf(words[i-1], true) == "" && !slices.Contains(strings.Fields("hundred zero oh"), words[i-1])) {
			words[i] = "one " + w
		}
	}
	return strings.Join(words, " ")
}

// figuresOf are the figures other than zero of a text, sorted: whatever rules do, they neither lose nor add one. Zeros are left
// out because "hundred" and a missing point are read as zeros; the tests above hold the values.
func figuresOf(text string, spokenToo bool) string {
	var out []string
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" -/+,", r) }) {
		if w != "X" { // ten; a small one stands for "times"
			w = strings.ToLower(w)
		}
		if v := wordFigures[w]; spokenToo && v != "" {
			w = v
		} else if v := romanFigures[w]; v != "" {
			w = v
		}
		for _, r := range w {
			if r >= '1' && r <= '9' {
				out = append(out, string(r))
			}
		}
	}
	sort.Strings(out)
	return strings.Join(out, "")
}

var wordFigures, romanFigures = func() (map[string]string, map[string]string) {
	words, romans := map[string]string{}, map[string]string{}
	for n := 1; n < 100; n++ {
		if s := say(n); !strings.Contains(s, " ") {
			words[s] = strconv.Itoa(n)
		}
	}
	for i, w := range strings.Fields("first second third fourth fifth sixth seventh eighth ninth tenth") {
		words[w] = strconv.Itoa(i + 1)
	}
	words["half"], words["twelfth"] = "5", "12"
	for i, w := range strings.Fields("i ii iii iv v vi vii viii ix X xi xii xiii") {
		romans[w] = strconv.Itoa(i + 1)
	}
	for i, w := range strings.Fields("i ii iii iv") { // stages of cancers
		for _, letter := range strings.Fields("a b c") {
			romans[w+letter] = strconv.Itoa(i + 1)
		}
	}
	return words, romans
}()

var vocabulary = strings.Fields("zero one two three five ten twelve fifteen nineteen twenty thirty forty-two fifty ninety hundred " +
	"thousand point oh over by to or milligrams mg mcg percent units weeks week year old daily q d hours L T S C G P 4 5 " +
	"12 120 5.0 .5 1000 march may third second in at plus times edema oriented heart rate pulse grade blood pressure glucose " +
	"tablets p m one-forty type class NYHA cranial nerves through gauge A slash minus out of pain patient continue bid BID " +
	"temperature height strength murmur Apgars date birth phone number October the Vicryl x stage cancer a day more")

func TestNoFigureIsLostOrAdded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom(vocabulary), 1, 12).Draw(t, "words")
		line := strings.Join(words, " ")
		read := read(line)
		for _, e := range numbers.Rewrite(read, style.Style{}) {
			var said []string
			for _, w := range read[e.From:e.To] {
				said = append(said, w.Text)
			}
			text := strings.Join(said, " ")
			if e.Doubt == "" && figuresOf(hundreds(text), true) != figuresOf(e.Text, true) {
				t.Fatalf("%s wrote %q for %q in %q", e.Rule, e.Text, text, line)
			}
		}
	})
}

// plainer leaves out what makes dates, times and rows of figures: beside other numbers those read differently when they are
// no longer words. Each rule's examples are read twice by another test.
var plainer = slices.DeleteFunc(slices.Clone(vocabulary), func(w string) bool {
	return slices.Contains(strings.Fields("October march may third second slash phone Vicryl oh point hundred"), w)
})

func TestRewritingTwiceIsRewritingOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		st, err := style.Find(rapid.SampledFrom(style.Names()).Draw(t, "style"))
		if err != nil {
			t.Fatal(err)
		}
		words := rapid.SliceOfN(rapid.SampledFrom(plainer), 1, 6).Draw(t, "words") // what is written is shorter: rules then see further
		once, edits := rewriteIn(st, strings.Join(words, " "))
		if slices.ContainsFunc(edits, func(e numbers.Edit) bool { return e.Doubt != "" }) {
			return // what a person must look at is not finished
		}
		twice, _ := rewriteIn(st, once)
		if once != twice {
			t.Fatalf("%q became %q, then %q", strings.Join(words, " "), once, twice)
		}
	})
}

func FuzzRewriteKeepsOrderAndBounds(f *testing.F) {
	for _, rule := range numbers.Rules() {
		for _, e := range rule.Examples {
			f.Add(e.Said)
		}
	}
	f.Add("q.-5 \xff ½ 1/2/3 5x2x µ L-99-5 g-p12 0-0 1,0,0 .- -. c88 t1112")
	f.Fuzz(func(t *testing.T, line string) {
		words := read(line)
		for _, name := range style.Names() {
			st, err := style.Find(name)
			if err != nil {
				t.Fatal(err)
			}
			at := 0
			for _, e := range numbers.Rewrite(words, st) {
				if e.From < at || e.To <= e.From || e.To > len(words) || (e.Text == "") == (e.Doubt == "") || strings.TrimSpace(e.Text) != e.Text {
					t.Fatalf("edit %+v after word %d of %d", e, at, len(words))
				}
				at = e.To
			}
		}
	})
}

// longText has about 400 words with all that takes time.
func longText() []numbers.Word {
	return read(strings.Repeat(`Mrs. Winters is a sixty two year old woman here for follow up of hypertension she denies chest pain or shortness
		of breath lisinopril forty milligrams daily metformin one thousand milligrams twice daily blood pressure one forty two over
		eighty eight pulse seventy two lungs are clear to auscultation bilaterally L four L five disc two plus edema cranial nerves two
		through twelve intact basic metabolic panel in two weeks strength five out of five throughout the patient was seen on October
		third twenty twenty six at oh six thirty and the family was told about the plan `, 4))
}

func BenchmarkRewriteOfFourHundredWords(b *testing.B) {
	words := longText()
	b.ReportMetric(float64(len(words)), "words")
	for b.Loop() {
		numbers.Rewrite(words, style.Style{})
	}
}
