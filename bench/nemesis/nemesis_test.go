package nemesis_test

import (
	"fmt"
	"testing"
	"time"
)

// TestNothingIsLostWhateverBreaks runs the practice while one thing after the other, and some together, break under it.
func TestNothingIsLostWhateverBreaks(t *testing.T) {
	p := newPractice(t, program(t, ""))
	say("seed %d, %d s; history in %s", *seed, *seconds, p.dir)
	d := p.open(*seed)
	p.rage(time.Duration(*seconds)*time.Second, *seed)
	d.end(t)
	p.judge(t, fmt.Sprintf("make nemesis SECONDS=%d SEED=%d ONLY=%q", *seconds, *seed, *only))
}
