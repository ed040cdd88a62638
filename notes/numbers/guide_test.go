package numbers_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"vesper/notes/style"
)

// The guide's table of examples is true.
func TestTheGuideShowsWhatTheStylesWrite(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/guides/numbers-and-style.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(guide), "| said | en-US | en-GB |\n|---|---|---|\n")
	rows := regexp.MustCompile(`(?m)^\| (.+) \| (.+) \| (.+) \|$`).FindAllStringSubmatch(strings.Split(table, "\n\n")[0], -1)
	if len(rows) < 6 {
		t.Fatalf("only %d rows were found", len(rows))
	}
	for _, row := range rows {
		said := row[1]
		if _, quoted, ok := strings.Cut(said, `"`); ok {
			said = strings.TrimSuffix(quoted, `"`)
		}
		for i, name := range []string{"en-US", "en-GB"} {
			if got, _ := rewriteIn(named(t, name), said); got != row[2+i] {
				t.Errorf("%s: %q becomes %q, the guide says %q", name, said, got, row[2+i])
			}
		}
	}
}

func TestAStyleWithADecimalCommaIsOnlyData(t *testing.T) {
	t.Parallel()
	st, err := style.Parse("own.yaml", []byte("name: own\nbase: en-GB\nnumbers: {decimal: ',', thousands: '.'}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for said, want := range map[string]string{
		"zero point five milligrams": "0,5 mg", "5.0 mg": "5.0 mg", "5,0 mg": "5 mg", "ten thousand units": "10.000 units",
		"10.000 units": "10.000 units", "temperature thirty seven point two": "temperature 37,2", "two and a half milligrams": "2,5 mg",
	} {
		got, _ := rewriteIn(st, said)
		if again, _ := rewriteIn(st, got); got != want || again != got {
			t.Errorf("%q became %q, then %q, want %q", said, got, again, want)
		}
	}
}
