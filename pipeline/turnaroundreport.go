package pipeline

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/pipeline/turnaround"
)

// TurnaroundReport is how long notes took that were received in a time.
type TurnaroundReport struct {
	From, To time.Time
	Lines    []TurnaroundLine // by work type and priority, stat first
	All      TurnaroundLine
	Partly   bool // there was more than could be counted; the newest were
}

// TurnaroundLine counts dictations of one work type and priority. Times are those of the practice's calendar as it is today.
type TurnaroundLine struct {
	WorkType string
	Priority Priority
	Received int
	Signed   int
	Open     int // not signed yet
	Overdue  int // of those, due already
	// Of the signed: the practice's own time, and the physician's, which is counted apart.
	Median, P90               time.Duration
	WaitingMedian, WaitingP90 time.Duration
	ReadyOnTime, SignedOnTime int // handed to the physician, and signed, by the due time
	own, waiting              []time.Duration
}

// OnTime is the share of the signed that the practice had ready by their due time, 0 for none.
func (l TurnaroundLine) OnTime() float64 {
	if l.Signed == 0 {
		return 0
	}
	return float64(l.ReadyOnTime) / float64(l.Signed)
}

// Bounds of a report.
const (
	maxReportDays  = 400
	maxReportCases = 50_000
)

// TurnaroundReport counts what was received in a time. Zero times mean the last thirty days.
func (s *Service) TurnaroundReport(ctx context.Context, actor access.Actor, from, to time.Time) (TurnaroundReport, error) {
	if to.IsZero() {
		to = s.Now()
	}
	if from.IsZero() {
		from = to.AddDate(0, 0, -30)
	}
	var out TurnaroundReport
	err := s.inTx(ctx, actor, access.ReadTurnaround, uuid.Nil, func(ctx context.Context, tx Tx) (err error) {
		if err := mayTurnaround(actor, access.ReadTurnaround); err != nil {
			return err
		}
		if !from.Before(to) || to.Sub(from) > maxReportDays*24*time.Hour {
			return fault.New(fault.Invalid, "report_span", "Choose a time that ends after it begins and is not longer than 400 days.")
		}
		if out, err = CountTurnaround(ctx, tx, from, to, s.Now()); err != nil {
			return err
		}
		return tx.Audit(ctx, event(actor, access.ReadTurnaround, "practice", actor.PracticeID, "done", map[string]string{"received": itoa(out.All.Received)}))
	})
	return out, err
}

// CountTurnaround counts what a practice received in a time.
func CountTurnaround(ctx context.Context, tx Tx, from, to, now time.Time) (TurnaroundReport, error) {
	out := TurnaroundReport{From: from.UTC(), To: to.UTC()}
	cases, err := tx.TurnaroundCases(ctx, from, to, maxReportCases+1)
	if err != nil {
		return out, err
	}
	if len(cases) > maxReportCases {
		out.Partly, cases = true, cases[:maxReportCases]
	}
	rules, err := rulesOf(ctx, tx)
	if err != nil {
		return out, err
	}
	lines := map[[2]string]*TurnaroundLine{}
	for batch := range slices.Chunk(cases, 1000) {
		ids := make([]uuid.UUID, len(batch))
		for i, c := range batch {
			ids[i] = c.ID
		}
		ways, err := tx.Ways(ctx, ids)
		if err != nil {
			return out, err
		}
		for _, c := range batch {
			key := [2]string{c.WorkType, string(c.Priority)}
			if lines[key] == nil {
				lines[key] = &TurnaroundLine{WorkType: c.WorkType, Priority: c.Priority}
			}
			lines[key].count(rules, c, ways[c.ID], now)
			out.All.count(rules, c, ways[c.ID], now)
		}
	}
	for _, l := range lines {
		l.finish()
		out.Lines = append(out.Lines, *l)
	}
	out.All.finish()
	slices.SortFunc(out.Lines, func(a, b TurnaroundLine) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.WorkType, b.WorkType))
	})
	return out, nil
}

func (l *TurnaroundLine) count(rules *turnaround.Rules, c TurnaroundCase, way []StateChange, now time.Time) {
	l.Received++
	if c.SignedAt == nil {
		if c.State != Rejected {
			l.Open++
			if phase(c.State) == turnaround.Running && now.After(c.DueAt) {
				l.Overdue++
			}
		}
		return
	}
	l.Signed++
	r := readClock(rules, c.Dictation, way, now)
	l.own, l.waiting = append(l.own, r.Used), append(l.waiting, r.Paused)
	ready := c.ReceivedAt
	for _, m := range way {
		if m.To == AwaitingSignature {
			ready = m.At
		}
	}
	if !ready.After(c.DueAt) {
		l.ReadyOnTime++
	}
	if !c.SignedAt.After(c.DueAt) {
		l.SignedOnTime++
	}
}

func (l *TurnaroundLine) finish() {
	l.Median, l.P90 = turnaround.Quantile(l.own, 0.5), turnaround.Quantile(l.own, 0.9)
	l.WaitingMedian, l.WaitingP90 = turnaround.Quantile(l.waiting, 0.5), turnaround.Quantile(l.waiting, 0.9)
	l.own, l.waiting = nil, nil
}
