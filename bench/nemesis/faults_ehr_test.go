package nemesis_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"syscall"
	"time"

	"vesper/ehr/sandbox"
)

// ehrFaults strike the EHR and its answers.
func (p *practice) ehrFaults() []fault {
	affects := []string{"stage:deliver"}
	moody := func(kind string, f sandbox.Fault) fault {
		return fault{kind: kind, part: "ehr", affects: affects, do: func(ctx context.Context, r *rand.Rand) (string, error) {
			f := f
			if f.Delay > 0 {
				f.Delay = between(r, f.Delay/2, f.Delay)
			}
			if f.Cut {
				f.CutAfter = r.IntN(400)
			}
			if err := p.setMood(ehrMood{f, 1 + r.IntN(2)}); err != nil {
				return "", err
			}
			wait(ctx, between(r, 3*time.Second, 6*time.Second))
			return "", p.setMood(ehrMood{})
		}}
	}
	return []fault{
		moody("EHR slow", sandbox.Fault{Delay: 4 * time.Second}),
		moody("EHR answers 500", sandbox.Fault{Refuse: http.StatusInternalServerError}),
		moody("EHR answers 409", sandbox.Fault{Refuse: http.StatusConflict}),
		moody("EHR answers 412", sandbox.Fault{Refuse: http.StatusPreconditionFailed}),
		moody("EHR files, answers 500", sandbox.Fault{Lose: http.StatusInternalServerError}),
		moody("EHR files, answers 409", sandbox.Fault{Lose: http.StatusConflict}),
		moody("EHR cut in mid-answer", sandbox.Fault{Cut: true}),
		moody("EHR shows another text", sandbox.Fault{AlterByte: true}),
		moody("EHR shows another patient", sandbox.Fault{OtherPatient: true}),
		{kind: "EHR killed", part: "ehr", affects: affects, do: func(context.Context, *rand.Rand) (string, error) {
			return "", p.ehr.signal(syscall.SIGKILL)
		}},
	}
}
