package notes

import (
	_ "embed" // for the table of commands
	"fmt"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
)

// action says what a spoken command does.
type action int

const (
	actMark            action = iota // write a mark after the word before
	actJoin                          // write a mark that joins the words around it
	actDash                          // write a mark with spaces around it
	actOpen                          // open a bracket or quotation
	actClose                         // close it
	actLine                          // new line
	actParagraph                     // new paragraph
	actSection                       // the template's next section
	actGoBack                        // a section that was dictated before
	actNextItem                      // the next number of a list
	actBullet                        // a bullet
	actCap                           // the next word with a capital
	actAllCaps                       // the next word in capitals
	actNoCaps                        // the next word in small letters
	actCapsOn                        // every word with a capital, until caps off
	actAllCapsOn                     // every word in capitals, until caps off
	actNoCapsOn                      // every word in small letters, until caps off
	actCapsOff                       //
	actScratch                       // take back what was said since the last pause or sentence
	actScratchSentence               // take back the last sentence
	actScratchWord                   // take back the last word
	actCorrect                       // put the next words in the place of those they correct
	actBlock                         // insert the author's text block
	actNumeral                       // the next number as a figure
	actSpell                         // a word letter by letter
	actBlank                         // leave a blank
	actFlag                          // ask that a person looks at it
	actStat                          // the dictation is urgent
	actCopy                          // somebody gets a copy
	actEnd                           // end of dictation
)

var actionNames = map[string]action{
	"mark": actMark, "join": actJoin, "dash": actDash, "open": actOpen, "close": actClose, "line": actLine, "paragraph": actParagraph,
	"section": actSection, "go-back": actGoBack, "item": actNextItem, "bullet": actBullet, "cap": actCap, "all-caps": actAllCaps,
	"no-caps": actNoCaps, "caps-on": actCapsOn, "all-caps-on": actAllCapsOn, "no-caps-on": actNoCapsOn, "caps-off": actCapsOff,
	"scratch": actScratch, "scratch-sentence": actScratchSentence, "scratch-word": actScratchWord, "correct": actCorrect,
	"block": actBlock, "numeral": actNumeral, "spell": actSpell, "blank": actBlank, "flag": actFlag, "stat": actStat, "copy": actCopy,
	"end": actEnd,
}

// command is one spoken command: its wordings, as said and as engines hear them, what it writes, and when the words are
// meant literally.
type command struct {
	name, group, does string
	act               action
	text              string
	say               []string
	sounds            []sounding
	sure, literal     []context
	needs             func(s *scanner, i, n int) bool // nil: nothing
	eg                []example
}

// example is something said and what is written for it.
type example struct{ said, written string }

// phrase is one wording of a command, split into words.
type phrase struct {
	words   []string
	command *command
	heard   bool // an engine's mishearing: counts only where it is set off
}

// commandSet is the table of commands, ready for use. It never changes.
type commandSet struct {
	commands []*command
	byFirst  map[string][]phrase // by their first word, longest first
	sounds   []soundPhrase
	parallel map[string][]int // rows of words that stand for one another
}

//go:embed commands.yaml
var commandFile []byte

// spokenCommands reads the table once. A test reads it too: a defect in it is a defect of the build.
var spokenCommands = sync.OnceValue(func() *commandSet {
	set, err := parseCommands(commandFile)
	if err != nil {
		panic("notes: the table of commands is broken: " + err.Error())
	}
	return set
})

type commandYAML struct {
	Name, Group, Does, Act, Text, Needs string
	Say, Page, Heard, Sounds, Eg        []string
	Sure, Literal                       []struct{ When, Eg string }
}

func parseCommands(data []byte) (*commandSet, error) {
	var file struct {
		Lists    map[string]string
		Parallel []string
		Commands []commandYAML
	}
	if err := yaml.UnmarshalWithOptions(data, &file, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	set := &commandSet{byFirst: map[string][]phrase{}, parallel: map[string][]int{}}
	lists := map[string]map[string]bool{}
	for name, words := range file.Lists {
		lists[name] = wordSet(words)
	}
	for row, words := range file.Parallel {
		for _, w := range strings.Fields(words) {
			set.parallel[w] = append(set.parallel[w], row)
		}
	}
	for _, y := range file.Commands {
		c, err := y.command(lists)
		if err != nil {
			return nil, fmt.Errorf("command %q: %w", y.Name, err)
		}
		set.add(c, y)
	}
	return set, nil
}

func (y commandYAML) command(lists map[string]map[string]bool) (*command, error) {
	act, known := actionNames[y.Act]
	if !known {
		return nil, fmt.Errorf("no action %q", y.Act)
	}
	c := &command{name: y.Name, group: y.Group, does: y.Does, act: act, text: y.Text, say: y.Say}
	if y.Needs != "" {
		if c.needs = conditions[y.Needs]; c.needs == nil {
			return nil, fmt.Errorf("no condition %q", y.Needs)
		}
	}
	for _, rules := range []struct {
		from []struct{ When, Eg string }
		to   *[]context
	}{{y.Sure, &c.sure}, {y.Literal, &c.literal}} {
		for _, r := range rules.from {
			parsed, err := parseContext(r.When, lists)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", r.When, err)
			}
			parsed.eg = r.Eg
			*rules.to = append(*rules.to, parsed)
		}
	}
	for _, eg := range y.Eg {
		said, written, ok := strings.Cut(eg, " => ")
		if !ok {
			return nil, fmt.Errorf("example %q has no =>", eg)
		}
		c.eg = append(c.eg, example{said, written})
	}
	return c, nil
}

// add puts a command and its wordings into the set.
func (set *commandSet) add(c *command, y commandYAML) {
	set.commands = append(set.commands, c)
	for _, said := range y.Say {
		set.addPhrase(phrase{words: strings.Fields(said), command: c})
	}
	for _, said := range y.Heard {
		set.addPhrase(phrase{words: strings.Fields(said), command: c, heard: true})
	}
	for _, said := range y.Sounds {
		c.sounds = append(c.sounds, newSounding(said))
		set.sounds = append(set.sounds, soundPhrase{sounding: newSounding(said), command: c})
	}
}

func (set *commandSet) addPhrase(p phrase) {
	list := set.byFirst[p.words[0]]
	at := 0
	for at < len(list) && len(list[at].words) >= len(p.words) {
		at++
	}
	set.byFirst[p.words[0]] = append(list[:at:at], append([]phrase{p}, list[at:]...)...)
}
