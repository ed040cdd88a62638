package nemesis_test

import "time"

func (p *practice) rage(d time.Duration, seed uint64) {
	tm := time.NewTimer(d)
	<-tm.C
}
