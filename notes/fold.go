package notes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// FlagMore is the flag that holds the least grave places of a note with many.
const FlagMore FlagKind = "more"

// defaultFlags is how many flags a note shows one by one. Editors who must look at more stop looking.
const defaultFlags = 12

// foldFirst ranks kinds of notices: the first are folded first. Kinds that are not listed are folded last.
var foldFirst = []FlagKind{FlagHeading, FlagScratched, FlagLowConfidence, FlagReading, FlagSex, FlagStopped, FlagAbbreviation}

// fold keeps a note's flags few: critical flags always stand alone, notices fill up to the cap, and the rest become one
// notice that holds them. Missing sections and struck text are not folded: each has an action of its own.
func fold(flags []Flag, most int) []Flag {
	if most <= 0 {
		most = defaultFlags
	}
	if len(flags) <= most {
		return flags
	}
	rank := func(f Flag) int {
		if at := slices.Index(foldFirst, f.Kind); at >= 0 {
			return at
		}
		return len(foldFirst)
	}
	var notices []int
	for i, f := range flags {
		if f.Severity == Notice && f.Kind != FlagStruck && f.Kind != FlagMissingSection && f.Kind != FlagStatement && f.Kind != FlagMore {
			notices = append(notices, i)
		}
	}
	slices.SortStableFunc(notices, func(a, b int) int {
		return cmp.Or(cmp.Compare(rank(flags[a]), rank(flags[b])), cmp.Compare(flags[b].Start, flags[a].Start))
	})
	notices = notices[:min(len(notices), len(flags)-most+1)]
	if len(notices) < 2 {
		return flags
	}
	slices.Sort(notices)
	var kept, folded []Flag
	for i, f := range flags {
		if slices.Contains(notices, i) {
			folded = append(folded, f)
		} else {
			kept = append(kept, f)
		}
	}
	return append(kept, moreFlag(folded, Notice, "more places are worth a look"))
}

// moreFlag is one flag for many places.
func moreFlag(folded []Flag, severity Severity, what string) Flag {
	slices.SortStableFunc(folded, func(a, b Flag) int { return cmp.Compare(a.Start, b.Start) })
	var list []string
	for _, f := range folded {
		list = append(list, "“"+f.Text+"” at "+clockTime(f.Start))
	}
	out := newFlag(Flag{
		Kind: FlagMore, Severity: severity, Section: folded[0].Section, Text: fmt.Sprintf("%d %s", len(folded), what),
		Start: folded[0].Start, End: folded[0].End,
		Detail: fmt.Sprintf("%d %s: %s.", len(folded), what, strings.Join(list, ", ")),
	})
	out.More = folded
	return out
}
