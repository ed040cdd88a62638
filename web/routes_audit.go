package web

import (
	"context"
	"net/http"
	"time"

	"vesper/internal/access"
)

type auditInput struct {
	Before time.Time `query:"before" doc:"Only events older than this; for the next page, the time of the last item"`
	Limit  int       `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

type auditOutput struct {
	Body struct {
		Items []event `json:"items" doc:"Newest first"`
	}
}

type verifyOutput struct{ Body auditReport }

// verifyTime is how long recomputing the whole log may take.
const verifyTime = 10 * time.Minute

func (s *Server) mountAudit() {
	const tag = "audit"
	add(s, operation(http.MethodGet, "/v1/audit", tag, "list-events", "The practice's newest events"), s.getAudit)
	add(s, operation(http.MethodGet, "/v1/audit/verify", tag, "verify-audit", "Recompute the log and compare it with the signed checkpoints"), s.verifyAudit)
}

func (s *Server) getAudit(ctx context.Context, a access.Actor, in *auditInput) (*auditOutput, error) {
	events, err := s.svc.AuditTrail(ctx, a, in.Before, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &auditOutput{}
	out.Body.Items = each(events, viewEvent)
	return out, nil
}

func (s *Server) verifyAudit(ctx context.Context, a access.Actor, _ *struct{}) (*verifyOutput, error) {
	of(ctx).deadlines(0, verifyTime)
	r, err := s.svc.VerifyAudit(ctx, a)
	if err != nil {
		return nil, err
	}
	return &verifyOutput{viewReport(r)}, nil
}
