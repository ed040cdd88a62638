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
func Report(w io.Writer, h *History, found []Violation) {
	faults(w, h)
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

func faults(w io.Writer, h *History) {
	took, injected, failed := map[string]times{}, map[string]int{}, map[string][]string{}
	var all times
	for _, s := range h.Strikes {
		if s.Failed != "" {
			failed[s.Kind] = append(failed[s.Kind], s.Failed)
			continue
		}
		injected[s.Kind]++
		if d, ok := h.Recovery(s); ok {
			took[s.Kind], all = append(took[s.Kind], d), append(all, d)
		}
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "fault\tinjected\tback, p99\tworst\t\n")
	total := 0
	for _, kind := range slices.Sorted(maps.Keys(injected)) {
		fmt.Fprintf(t, "%s\t%d\t%.1f s\t%.1f s\t\n", kind, injected[kind], took[kind].p99().Seconds(), took[kind].worst().Seconds())
		total += injected[kind]
	}
	fmt.Fprintf(t, "all\t%d\t%.1f s\t%.1f s\t\n", total, all.p99().Seconds(), all.worst().Seconds())
	t.Flush()
	for _, kind := range slices.Sorted(maps.Keys(failed)) {
		fmt.Fprintf(w, "not injected: %s, %d times: %s\n", kind, len(failed[kind]), failed[kind][0])
	}
}

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
