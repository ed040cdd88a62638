package pipeline

import (
	"context"

	"github.com/google/uuid"

	"vesper/internal/access"
)

// OpenQueues records that somebody opens the work queue's own pages, or was refused.
func (s *Service) OpenQueues(ctx context.Context, actor access.Actor) error {
	return s.inTx(ctx, actor, access.Operate, uuid.Nil, func(ctx context.Context, tx Tx) error {
		if err := access.Decide(actor, access.Operate, access.Resource{PracticeID: actor.PracticeID}); err != nil {
			return err
		}
		return tx.Audit(ctx, event(actor, access.Operate, "practice", actor.PracticeID, "done", nil))
	})
}
