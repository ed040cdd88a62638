package nemesis

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Report prints what was done to the practice, what it did meanwhile, how soon it was back, and what was broken.
func Report(w io.Writer, h *History, e Evidence, found []Violation) {
	faults(w, h, e)
	operations(w, h)
	fmt.Fprintln(w)
	counts := map[string]int{}
	for _, v := range found {
		counts[v.Kind]++
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, kind := range Kinds {
		count := fmt.Sprint(counts[kind])
		if kind == AuditBroken && counts[kind] == 0 {
			count = "whole"
		}
		fmt.Fprintf(t, "%s\t%s\n", kind, count)
	}
	t.Flush()
}

// times are the recoveries of one kind of fault.
type times []time.Duration

func (t times) worst() time.Duration { return slices.Max(append(t, 0)) }

// p99 is the smallest that 99 of 100 do not exceed.
func (t times) p99() time.Duration {
	if len(t) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(t))
	return sorted[int(math.Ceil(0.99*float64(len(sorted))))-1]
}

func faults(w io.Writer, h *History, e Evidence) {
	jobs := map[string]Job{}
	for _, j := range e.Jobs {
		jobs[j.ID] = j
	}
	back, taken, injected, failed := map[string]times{}, map[string]times{}, map[string]int{}, map[string][]string{}
	const all = "all"
	for _, s := range h.Strikes {
		if s.Failed != "" {
			failed[s.Kind] = append(failed[s.Kind], s.Failed)
			continue
		}
		for _, kind := range []string{s.Kind, all} {
			injected[kind]++
			if d, ok := h.Recovery(s); ok {
				back[kind] = append(back[kind], d)
			}
			if d, ok := h.Takeover(s, jobs); ok {
				taken[kind] = append(taken[kind], d)
			}
		}
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "fault\tinjected\tback, p99\tworst\tits work done, p99\tworst\t\n")
	row := func(kind string) {
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%s\t\n", kind, injected[kind], say(back[kind].p99()), say(back[kind].worst()), say(taken[kind].p99()), say(taken[kind].worst()))
	}
	for _, kind := range slices.Sorted(maps.Keys(injected)) {
		if kind != all {
			row(kind)
		}
	}
	row(all)
	t.Flush()
	for _, kind := range slices.Sorted(maps.Keys(failed)) {
		fmt.Fprintf(w, "not injected: %s, %d times: %s\n", kind, len(failed[kind]), failed[kind][0])
	}
}

func say(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func operations(w io.Writer, h *History) {
	byKind := map[string]map[Outcome]int{}
	for _, op := range h.Ops {
		if byKind[op.Kind] == nil {
			byKind[op.Kind] = map[Outcome]int{}
		}
		byKind[op.Kind][op.Outcome]++
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "operation\tok\trefused\tunknown\t\n")
	total := map[Outcome]int{}
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		n := byKind[kind]
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t\n", kind, n[OK], n[Fail], n[Unknown])
		for o, k := range n {
			total[o] += k
		}
	}
	fmt.Fprintf(t, "all\t%d\t%d\t%d\t\n", total[OK], total[Fail], total[Unknown])
	t.Flush()
}

// Explain lists violations for people, one a line.
func Explain(found []Violation) string {
	var b strings.Builder
	for _, v := range found {
		fmt.Fprintf(&b, "%s: %s\n", v.Kind, v.What)
	}
	return b.String()
}
