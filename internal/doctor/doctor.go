// Package doctor checks what Vesper depends on and says, for each thing that is wrong, how to mend it. A check is a name
// and a function; those that need a driver (PostgreSQL, the object store, the model store) get it injected as a function,
// so that this package depends on nothing and every check can be tried alone.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"vesper/internal/fault"
)

// Finding is what a check found. Mend is empty when there is nothing to do; with OK it is advice.
type Finding struct {
	OK   bool
	What string // one line: what is there, or what is wrong
	Mend string // one or two sentences: what to do
}

// Check is one question. Run MUST end with its context and MUST NOT change anything it looks at.
type Check struct {
	Name string
	Run  func(ctx context.Context) Finding
}

// Result is a check with its finding and the time it took.
type Result struct {
	Name  string
	Took  time.Duration
	Found Finding
}

// Patience is how long one check may take.
const Patience = 15 * time.Second

// Examine runs all checks at the same time and returns their results in the order of the checks.
func Examine(ctx context.Context, checks []Check) []Result {
	results := make([]Result, len(checks))
	done := make(chan struct{})
	for i, c := range checks {
		go func() {
			results[i] = examine(ctx, c)
			done <- struct{}{}
		}()
	}
	for range checks {
		<-done
	}
	return results
}

func examine(ctx context.Context, c Check) Result {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	began := time.Now()
	found := c.Run(ctx)
	return Result{Name: c.Name, Took: time.Since(began), Found: found}
}

// Healthy says whether no check found anything wrong.
func Healthy(results []Result) bool {
	for _, r := range results {
		if !r.Found.OK {
			return false
		}
	}
	return true
}

// Print writes the results as a table, each with its advice below it, and a last line that sums up.
func Print(w io.Writer, results []Result) error {
	width, bad := 0, 0
	for _, r := range results {
		width = max(width, len(r.Name))
	}
	var b strings.Builder
	for _, r := range results {
		mark := "good"
		if !r.Found.OK {
			mark = "BAD "
			bad++
		}
		fmt.Fprintf(&b, "%s  %-*s  %s\n", mark, width, r.Name, r.Found.What)
		if r.Found.Mend != "" {
			fmt.Fprintf(&b, "      %-*s  → %s\n", width, "", r.Found.Mend)
		}
	}
	switch bad {
	case 0:
		b.WriteString("\nEverything is in order.\n")
	case 1:
		b.WriteString("\nOne thing needs mending.\n")
	default:
		fmt.Fprintf(&b, "\n%d things need mending.\n", bad)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// good and bad make findings; bad takes the advice from a fault when the error is one.
func good(format string, args ...any) Finding {
	return Finding{OK: true, What: fmt.Sprintf(format, args...)}
}

func bad(mend, format string, args ...any) Finding {
	return Finding{What: fmt.Sprintf(format, args...), Mend: mend}
}

func badErr(err error, what, mend string) Finding {
	var f *fault.Error
	switch {
	case errors.As(err, &f):
		return Finding{What: what + " (" + f.Code + ")", Mend: f.Public}
	case errors.Is(err, context.DeadlineExceeded):
		return Finding{What: what + ": no answer in time", Mend: mend}
	default:
		return Finding{What: fmt.Sprintf("%s: %v", what, err), Mend: mend}
	}
}
