package pages_test

import (
	"strings"
	"testing"

	"vesper/internal/access"
	"vesper/pipeline"
)

func TestTheTimelineShowsEachReasonOnce(t *testing.T) {
	t.Parallel()
	s := newStage(pipeline.InReview)
	s.moves = []pipeline.StateChange{
		{At: now, From: pipeline.InReview, To: pipeline.AwaitingSignature},
		{At: now, From: pipeline.AwaitingSignature, To: pipeline.Drafted, Reason: "Hear the <dose> again."},
		{At: now, From: pipeline.Drafted, To: pipeline.InReview, Reason: "Hear the <dose> again."}, // the claim carries it along
		{At: now, From: pipeline.InReview, To: pipeline.Rejected, Reason: "Wind noise only."},
	}
	_, body, _ := get(t, s, access.Supervisor, "/history/"+dictated.String())
	_, body, _ = strings.Cut(body, `data-testid="history-timeline"`)
	body, _, _ = strings.Cut(body, "</ol>")
	for _, reason := range []string{"Hear the &lt;dose&gt; again.", "Wind noise only."} {
		if n := strings.Count(body, reason); n != 1 {
			t.Errorf("%q stands %d times in %s", reason, n, body)
		}
	}
}
