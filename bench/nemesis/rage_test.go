package nemesis_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"vesper/bench/nemesis"
	"vesper/internal/testkit"
)

// fault is one way to break something. do breaks it, waits, mends it, and says whom it struck; it mends also when ctx ends
// meanwhile. Two faults of the same part are never at work at once.
type fault struct {
	kind    string
	part    string
	long    bool // goes on for so long that others come and go meanwhile
	affects []string
	do      func(context.Context, *rand.Rand) (what string, err error)
}

// rage breaks one thing after the other, now and then two at once, for d. Each kind comes up once before any comes up
// again. The seed decides all that it decides; what the practice happens to be doing then is its own affair.
func (p *practice) rage(d time.Duration, seed uint64) {
	ctx, cancel := context.WithTimeout(p.t.Context(), d)
	defer cancel()
	rng := rand.New(rand.NewPCG(seed, 0x6e656d65736973))
	all := p.faults()
	var deck []fault
	var busy sync.Map // parts under attack
	var strikes sync.WaitGroup
	defer strikes.Wait()
	for ctx.Err() == nil {
		if len(deck) == 0 {
			deck = slices.Clone(all)
			rng.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		}
		next := deck[0]
		deck = deck[1:]
		own := rand.New(rand.NewPCG(rng.Uint64(), 1))
		both := rng.IntN(3) == 0
		if _, taken := busy.LoadOrStore(next.part, true); taken {
			deck = append(deck, next) // a little later
			wait(ctx, 200*time.Millisecond)
			continue
		}
		over := make(chan struct{})
		strikes.Go(func() {
			defer close(over)
			defer busy.Delete(next.part)
			p.strike(ctx, next, own)
		})
		if !next.long && !both {
			<-over
		}
		wait(ctx, between(rng, 300*time.Millisecond, 1500*time.Millisecond))
	}
}

// strike injects one fault and records it.
func (p *practice) strike(ctx context.Context, f fault, rng *rand.Rand) {
	s := nemesis.Strike{ID: p.history.Number(), Kind: f.kind, Affects: f.affects, Start: time.Now()}
	s.InHand, _ = testkit.TryValue[[]string](p.admin, `SELECT coalesce(array_agg(id::text), '{}') FROM jobs WHERE state = 'running'`)
	what, err := f.do(ctx, rng)
	for range 3 { // another fault may stand in the way
		if err == nil || errors.Is(err, p.noDisk) || ctx.Err() != nil {
			break
		}
		wait(ctx, 2*time.Second)
		s.Start = time.Now()
		what, err = f.do(ctx, rng)
	}
	s.End, s.What, s.Affects = time.Now(), what, whom(what, f.affects)
	if err != nil {
		s.Failed = err.Error()
	}
	p.history.Struck(s)
	say("%s  %-34s %5.1f s  %s %s", s.Start.Format("15:04:05"), f.kind, s.End.Sub(s.Start).Seconds(), what, s.Failed)
}

// whom says by whose work it shows that a fault is over: that of the very process it struck, if it struck one.
func whom(what string, otherwise []string) []string {
	for _, part := range strings.FieldsFunc(what, func(r rune) bool { return r == ' ' || r == '→' }) {
		switch {
		case strings.HasPrefix(part, "serve-"):
			return []string{"server:" + part}
		case strings.HasPrefix(part, "work-"):
			return []string{"worker:" + part}
		}
	}
	return otherwise
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func between(rng *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(rng.Int64N(int64(most-least)))
}

// pick is one of several.
func pick[T any](rng *rand.Rand, of []T) T { return of[rng.IntN(len(of))] }

// faults are all of them.
func (p *practice) faults() []fault {
	all := slices.Concat(p.processFaults(), p.engineFaults(), p.redisFaults(), p.postgresFaults(), p.storeFaults(), p.ehrFaults(), p.networkFaults(), p.clockFaults())
	all = slices.DeleteFunc(all, func(f fault) bool { return !strings.Contains(f.kind, *only) })
	slices.SortStableFunc(all, func(a, b fault) int { return strings.Compare(a.kind, b.kind) }) // maps give them in any order
	if len(all) == 0 {
		p.t.Fatalf("no fault is called %q", *only)
	}
	return all
}
