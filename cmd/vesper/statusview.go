package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// view writes a report for people.
type view struct {
	colour        bool
	width, height int // of the terminal; 0: no bound
}

const (
	red, yellow, green, faint, bold = "31", "33", "32", "2", "1"
)

func (v view) paint(code, text string) string {
	if !v.colour {
		return text
	}
	return "\033[" + code + "m" + text + "\033[0m"
}

// orderQueue puts stat first and the stages in the order of a dictation's way.
func (r *report) orderQueue() {
	stage := map[string]int{"transcribe": 0, "draft": 1, "deliver": 2}
	slices.SortFunc(r.Queue, func(a, b queueLine) int {
		return cmp.Or(-strings.Compare(a.Priority, b.Priority), cmp.Compare(stage[a.Kind], stage[b.Kind]))
	})
	slices.SortFunc(r.Dead, func(a, b deadLine) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Code, b.Code)) })
}

// text is the whole report.
func (v view) text(r report) string {
	var b strings.Builder
	for _, line := range v.lines(r) {
		b.WriteString(line + "\n")
	}
	return b.String()
}

// over is the report as it goes over the one before: each line is written and the rest of it cleared, nothing is wiped.
func (v view) over(r report) string {
	lines := v.lines(r)
	if v.height > 1 && len(lines) > v.height-1 {
		lines = append(lines[:v.height-2], v.paint(faint, fmt.Sprintf("… %d more lines", len(lines)-v.height+2)))
	}
	var b strings.Builder
	b.WriteString("\033[H")
	for _, line := range lines {
		b.WriteString(clip(line, v.width) + "\033[K\r\n")
	}
	b.WriteString("\033[J")
	return b.String()
}

// clip cuts a line to a width, counting only what is seen.
func clip(line string, width int) string {
	if width <= 0 {
		return line
	}
	seen, coloured := 0, false
	for i := 0; i < len(line); {
		if strings.HasPrefix(line[i:], "\033[") {
			end := strings.IndexByte(line[i:], 'm')
			if end < 0 {
				break
			}
			coloured = line[i:i+end+1] != "\033[0m"
			i += end + 1
			continue
		}
		_, size := utf8.DecodeRuneInString(line[i:])
		if seen++; seen > width {
			if coloured {
				return line[:i] + "\033[0m"
			}
			return line[:i]
		}
		i += size
	}
	return line
}

func (v view) lines(r report) []string {
	out := []string{v.paint(bold, "Vesper") + v.paint(faint, "  "+r.At.Local().Format("2006-01-02 15:04:05"))}
	switch {
	case r.Starting:
		out = append(out, v.paint(yellow, "Starting: no worker has reported yet."))
	case len(r.Needs) == 0:
		out = append(out, v.paint(green, "Nothing needs a person."))
	}
	for _, n := range r.Needs {
		out = append(out, v.paint(red, "! "+n))
	}
	out = append(out, "")
	out = append(out, v.services(r)...)
	out = append(out, v.queue(r)...)
	out = append(out, v.running(r)...)
	return append(out, v.rest(r)...)
}

func (v view) services(r report) []string {
	var parts []string
	for _, s := range r.Services {
		mark := v.paint(green, "ok")
		if !s.OK {
			mark = v.paint(red, "BAD")
		}
		parts = append(parts, s.Name+" "+mark)
	}
	for _, w := range r.Workers {
		parts = append(parts, fmt.Sprintf("worker %s/%d for %d at once", w.Host, w.PID, w.Slots))
	}
	if r.DiskFree > 0 {
		parts = append(parts, fmt.Sprintf("disk %.1f GB free", float64(r.DiskFree)/1e9))
	}
	return []string{v.head("Services") + strings.Join(parts, ", ")}
}

func (v view) head(text string) string { return v.paint(bold, fmt.Sprintf("%-12s", text)) }

func (v view) queue(r report) []string {
	if len(r.Queue) == 0 {
		return []string{v.head("Queue") + "empty"}
	}
	out := []string{v.head("Queue") + v.paint(faint, fmt.Sprintf("%-9s %-11s %8s %8s %10s  %s", "priority", "stage", "waiting", "due", "oldest", "expected"))}
	for _, q := range r.Queue {
		expected := "—"
		if q.Expected > 0 {
			expected = "about " + span(q.Expected)
		}
		priority := fmt.Sprintf("%-9s", q.Priority)
		if q.Priority == "stat" {
			priority = v.paint(yellow, priority)
		}
		out = append(out, fmt.Sprintf("%-12s%s %-11s %8d %8d %10s  %s", "", priority, q.Kind, q.Waiting, q.Due, span(q.Oldest), expected))
	}
	return out
}

func (v view) running(r report) []string {
	if len(r.Running) == 0 {
		return []string{v.head("Running") + "nothing"}
	}
	out := []string{v.head("Running") + v.paint(faint, fmt.Sprintf("%-9s %-11s %-9s %-20s %s", "priority", "stage", "attempt", "worker", "last sign of life"))}
	for _, j := range r.Running {
		life := span(j.Silent) + " ago"
		if j.Lost {
			life = v.paint(red, life+", lost")
		}
		out = append(out, fmt.Sprintf("%-12s%-9s %-11s %-9d %-20s %s", "", j.Priority, j.Kind, j.Attempt, j.Worker, life))
	}
	return out
}

func (v view) rest(r report) []string {
	out := []string{v.head("Dictations") + counts(r.Dictations, []string{
		"received", "queued", "transcribed", "drafted", "in_review", "awaiting_signature", "signed", "failed",
	}, "none under way")}
	turn := counts(r.Turnaround, []string{"0-50", "50-80", "80-100"}, "nothing waits")
	if n := r.Turnaround["over"]; n > 0 {
		turn = strings.TrimPrefix(turn+", ", "nothing waits, ") + v.paint(yellow, fmt.Sprintf("%d late", n))
	}
	if n := r.Turnaround["waiting"]; n > 0 {
		turn = strings.TrimPrefix(turn+", ", "nothing waits, ") + fmt.Sprintf("%d with the physician", n)
	}
	out = append(out, v.head("Turn-around")+turn+v.paint(faint, "  (percent of the time until the note is due)"))
	out = append(out, v.head("Deliveries")+counts(r.Deliveries, []string{"pending", "sending", "unknown", "rejected"}, "all in the EHR"))
	if len(r.Findings) > 0 {
		out = append(out, v.head("Findings")+v.paint(red, counts(r.Findings, slices.Sorted(maps.Keys(r.Findings)), "")))
	}
	if len(r.Messages) > 0 {
		out = append(out, v.head("Messages")+counts(r.Messages, []string{"waiting", "sending", "dead"}, "all sent"))
	}
	out = append(out, v.head("Audit log")+fmt.Sprintf("%d events to be sequenced, the oldest %s", r.Audit.Pending, span(r.Audit.Lag)))
	return append(out, v.head("Engine")+v.engine(r))
}

// engine says who works and how fast; what only metrics know is added where they were found.
func (v view) engine(r report) string {
	parts := []string{times(r.Load.Workers, "worker"), times(r.Load.Slots, "slot")}
	switch {
	case r.Load.Speed > 0:
		parts = append(parts, fmt.Sprintf("each %.1f × real time", r.Load.Speed))
	default:
		parts = append(parts, "nothing was transcribed yet")
	}
	if r.Engine != nil {
		if r.Engine.Recordings > 0 {
			parts = append(parts, fmt.Sprintf("%s at %.1f × since the start", times(r.Engine.Recordings, "recording"), r.Engine.Speed))
		}
		parts = append(parts, times(r.Engine.Failures, "breakdown"))
	}
	if r.Load.Wait != nil {
		parts = append(parts, "one more routine recording waits about "+span(*r.Load.Wait))
	}
	return strings.Join(parts, ", ")
}

func counts(n map[string]int, order []string, none string) string {
	var parts []string
	for _, key := range order {
		if n[key] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[key], strings.ReplaceAll(key, "_", " ")))
		}
	}
	if len(parts) == 0 {
		return none
	}
	return strings.Join(parts, ", ")
}

// span is a time in one or two units.
func span(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%d days", int(d.Hours())/24)
	}
}
