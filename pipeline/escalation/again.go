package escalation

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Bounds of rules that are carried out again and again: people stop to read what comes too often.
const (
	MinAgain   = 5 * time.Minute
	MaxRepeats = 20 // for one dictation, whatever its episodes
)

// Done is one time that a rule was carried out for a dictation.
type Done struct {
	Episode string
	At      time.Time
}

// Next names what is to be carried out now in an episode, given all that was carried out for the dictation under the rule's
// name; false: nothing. The first time has the name of the episode, each further one a number too. So two who look at once
// find the same name, and a key lets one of them through.
func (r Rule) Next(episode string, before []Done, now time.Time) (string, bool) {
	repeats, newest, last := 0, -1, time.Time{}
	for _, d := range before {
		base, n := repetition(d.Episode)
		if n > 0 {
			repeats++
		}
		if base == episode && n > newest {
			newest, last = n, d.At
		}
	}
	switch {
	case newest < 0:
		return episode, true
	case !r.Again.Given() || repeats >= MaxRepeats || now.Sub(last) < r.Again.D():
		return "", false
	default:
		return fmt.Sprintf("%s%s%d", episode, againMark, newest+1), true
	}
}

// againMark stands between an episode and the number of a repetition in it.
const againMark = "; again "

// repetition takes a name of Next apart; the number of the first time is 0.
func repetition(name string) (episode string, n int) {
	episode, number, _ := strings.Cut(name, againMark)
	n, _ = strconv.Atoi(number) // of our own making
	return episode, n
}
