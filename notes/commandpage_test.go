package notes_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

// updatePage writes the page for physicians anew: go test ./notes -run CommandPage -update-page
var updatePage = flag.Bool("update-page", false, "write docs/guides/spoken-commands.md")

const commandPage = "../docs/guides/spoken-commands.md"

const pageHead = `# What you can say

You may dictate marks and commands, or just speak: without commands, sentences come from your voice and your pauses, and a pause
of four seconds after a sentence begins a paragraph. Say a command after a short pause, as one would to a person who types. It
does not matter whether the engine wrote a mark already, nothing is doubled.

A word that only looks like a command stays a word: "menstrual period", "ascending colon", "a new line was placed", "surgical
correction". Nothing that you say is lost: what a command took out or wrote is listed beside the note under "Taken out of the
text", with its sound, and can be put back.

This page is made from the table that the program uses (notes/commands.yaml).
`

const pageTail = `
## Numbered lists

"Number one … number two …" begins the items of a list; "next number" goes on from the last one. "The number one cause", "room
number four" and "a number ten blade" stay words.

## Corrections

Say "correction" and then the words that are right: "fifty four year old man … correction, woman". The new words take the place of
what they are parallel to: a number and its unit, left or right, man or woman, a day or month, a drug for a drug, "the left knee"
for "the right knee". A notice shows what was replaced. Where it is not clear what you mean, both stay in the text, and a person
must settle it before you can sign.

"Scratch that" takes back what you said since your last pause or sentence. If you begin again with the same word as an earlier
phrase of the sentence, it takes back everything from there.

## Spelling

"Doctor Smith, spelled S M Y T H E": the spelled word takes the place of the one before when both sound alike, and stands after it
otherwise. Letters may be said as "S as in Sam", "sierra", "double L", "capital P", "hyphen" or "apostrophe". A name that is spelled
at once, letter after letter, needs no "spelled".

## Your own texts

"Insert my normal heart exam" inserts the text that you approved under the name "heart exam". The note says that these words are
your own approved text, and when you approved it. If you have no text of this name, nothing is inserted, your words stay, and a
person must settle it.
`

// commandPageText makes the page from the table.
func commandPageText(t *testing.T) string {
	t.Helper()
	var groups []string
	rows := map[string][]string{}
	seen := map[string]bool{}
	for _, c := range commandTable(t).Commands {
		if seen[c.Name] {
			continue
		}
		seen[c.Name] = true
		if rows[c.Group] == nil {
			groups = append(groups, c.Group)
		}
		page := c.Page
		if len(page) == 0 {
			page = c.Say[:1]
		}
		example := ""
		if len(c.Eg) > 0 {
			said, written, _ := strings.Cut(c.Eg[0], " => ")
			example = fmt.Sprintf("“%s” → `%s`", said, strings.ReplaceAll(written, "\n", "⏎"))
		}
		rows[c.Group] = append(rows[c.Group], fmt.Sprintf("| %s | %s | %s |", strings.Join(page, ", "), c.Does, example))
	}
	var b strings.Builder
	b.WriteString(pageHead)
	for _, g := range groups {
		fmt.Fprintf(&b, "\n## %s\n\n| say | what it does | example |\n|---|---|---|\n%s\n", g, strings.Join(rows[g], "\n"))
	}
	b.WriteString(pageTail)
	return b.String()
}

func TestTheCommandPageSaysWhatTheTableSays(t *testing.T) {
	t.Parallel()
	want := commandPageText(t)
	if *updatePage {
		if err := os.WriteFile(commandPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := string(read(t, commandPage)); got != want {
		t.Error("docs/guides/spoken-commands.md is not what the table says: run go test ./notes -run CommandPage -update-page")
	}
}
