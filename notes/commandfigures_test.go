package notes_test

import (
	"fmt"
	"regexp"
	"sort"
	"strings"
	"testing"

	"vesper/transcribe"
)

// sentence is one line of testdata/commands.
type sentence struct {
	line     int
	dictates bool // by somebody who dictates marks
	commands map[string]int
	heard    string
	want     string
}

// habit is what somebody who dictates marks has said before the sentence that counts.
const habit = "the patient eats comma drinks comma and sleeps well period he walks a mile period\n"

const habitText = "The patient eats, drinks, and sleeps well. He walks a mile."

func sentences(t *testing.T, file string) []sentence {
	t.Helper()
	known := map[string]bool{"number": true}
	for _, c := range commandTable(t).Commands {
		known[c.Name] = true
	}
	var out []sentence
	for n, line := range strings.Split(string(read(t, "testdata/commands/"+file)), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		names, rest, ok := strings.Cut(line, ":: ")
		heard, want, ok2 := strings.Cut(rest, " => ")
		if !ok || !ok2 {
			t.Fatalf("%s:%d: not in the form of the file", file, n+1)
		}
		s := sentence{line: n + 1, heard: heard, want: strings.ReplaceAll(want, `\n`, "\n"), commands: map[string]int{}}
		names, s.dictates = strings.CutPrefix(strings.TrimSpace(names), "+")
		for _, part := range strings.Split(names, "+") {
			parts := []string{part}
			if !known[part] {
				parts = strings.Fields(part)
			}
			for _, name := range parts {
				if !known[name] {
					t.Fatalf("%s:%d: no command %q", file, n+1, name)
				}
				s.commands[name]++
			}
		}
		out = append(out, s)
	}
	return out
}

// paused is a transcript of a sentence: "~" is a pause of 0.4 s, "~~" of 1.5 s.
func paused(script string) transcribe.Transcript {
	var plain []string
	pauses := map[int]float64{}
	total := 0
	for _, line := range strings.Split(script, "\n") {
		var words []string
		for _, w := range strings.Fields(line) {
			switch w {
			case "~":
				pauses[total+len(words)] = 0.4
			case "~~":
				pauses[total+len(words)] = 1.5
			default:
				words = append(words, w)
			}
		}
		total += len(words)
		plain = append(plain, strings.Join(words, " "))
	}
	tr := heard(strings.Join(plain, "\n"))
	shift := 0.0
	for i := range tr.Words {
		shift += pauses[i]
		tr.Words[i].Start, tr.Words[i].End = tr.Words[i].Start+shift, tr.Words[i].End+shift
	}
	return tr
}

var blankMark = regexp.MustCompile(`\[blank [^\]]*\]`)

// figures counts the commands of one name over a file.
type figures struct{ right, missed, invented int }

func (f figures) String() string {
	return fmt.Sprintf("%3d right %3d missed %3d invented  precision %5.1f%%  recall %5.1f%%", f.right, f.missed, f.invented,
		percent(f.right, f.right+f.invented), percent(f.right, f.right+f.missed))
}

func percent(part, whole int) float64 {
	if whole == 0 {
		return 100
	}
	return 100 * float64(part) / float64(whole)
}

// measure drafts the sentences of a file and compares the commands carried out and the text with what is right.
func measure(t *testing.T, file string) (byName map[string]figures, all figures, right, total int) {
	byName = map[string]figures{}
	for _, s := range sentences(t, file) {
		script, before := s.heard, map[string]int{}
		if s.dictates {
			script, before = habit+script, map[string]int{"period": 2, "comma": 2}
		}
		doc := mustDraft(t, paused(script), template(t, "progress"))
		text := ""
		for _, section := range doc.Sections {
			text += section.Text() + " "
		}
		text = blankMark.ReplaceAllString(text, "[blank]")
		if s.dictates {
			text = strings.Replace(text, habitText, "", 1)
		}
		text = strings.TrimSpace(text)
		total++
		got := obeyed(doc)
		if text == s.want {
			right++
		} else {
			t.Logf("%s:%d: %q became\n\t%q, right is\n\t%q", file, s.line, s.heard, text, s.want)
		}
		for name, n := range before {
			got[name] -= n
		}
		names := map[string]bool{}
		for name := range got {
			names[name] = true
		}
		for name := range s.commands {
			names[name] = true
		}
		for name := range names {
			f := byName[name]
			hit := min(got[name], s.commands[name])
			f.right += hit
			f.missed += s.commands[name] - hit
			f.invented += got[name] - hit
			if got[name] != s.commands[name] {
				t.Logf("%s:%d: %q: %s carried out %d times, right is %d", file, s.line, s.heard, name, got[name], s.commands[name])
			}
			byName[name] = f
		}
	}
	for _, f := range byName {
		all.right, all.missed, all.invented = all.right+f.right, all.missed+f.missed, all.invented+f.invented
	}
	return byName, all, right, total
}

// TestCommandsAreToldFromWordsThatLookLikeThem prints, with -v, precision and recall of each command over two sets of
// sentences: those on which the rules were fitted, and those kept apart.
func TestCommandsAreToldFromWordsThatLookLikeThem(t *testing.T) {
	for _, c := range []struct {
		file              string
		precision, recall float64 // at least
		text              float64
	}{
		{"tune.txt", 99, 99, 97},
		{"unseen.txt", 97, 97, 93},
	} {
		byName, all, right, total := measure(t, c.file)
		names := make([]string, 0, len(byName))
		for name := range byName {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			if testing.Verbose() && byName[name] != (figures{}) {
				t.Logf("%-10s %-22s %s", c.file, name, byName[name])
			}
		}
		t.Logf("%-10s %-22s %s; text right in %d of %d sentences", c.file, "all commands", all, right, total)
		if percent(all.right, all.right+all.invented) < c.precision || percent(all.right, all.right+all.missed) < c.recall || percent(right, total) < c.text {
			t.Errorf("%s: worse than it was", c.file)
		}
	}
}
