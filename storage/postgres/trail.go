package postgres

import (
	"context"
	"regexp"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"vesper/internal/trail"
)

// tracer makes a span of each statement: its verb and its first table. The statement and its values stay out.
type tracer struct{}

var _ pgx.QueryTracer = tracer{}

type endKey struct{}

// TraceQueryStart implements pgx.QueryTracer.
func (tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if !trail.Tracing(ctx) {
		return ctx
	}
	verb, table := operation(data.SQL)
	ctx, end := trail.Start(ctx, strings.TrimSpace("sql "+verb+" "+table), trace.SpanKindClient,
		attribute.String("db.system.name", "postgresql"), attribute.String("db.operation.name", verb), attribute.String("db.collection.name", table))
	return context.WithValue(ctx, endKey{}, end)
}

// TraceQueryEnd implements pgx.QueryTracer.
func (tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	if end, ok := ctx.Value(endKey{}).(func(error)); ok {
		end(wrap("statement", data.Err))
	}
}

var (
	statementVerb  = regexp.MustCompile(`(?i)\b(SELECT|INSERT|UPDATE|DELETE|BEGIN|COMMIT|ROLLBACK|SET)\b`)
	statementTable = regexp.MustCompile(`(?i)\b(?:FROM|INTO|UPDATE)\s+(?:public\.)?([a-z_]+)\b`)
)

// operation names a statement by constant words of it: what is no name of ours is left out.
func operation(sql string) (verb, table string) {
	if m := statementVerb.FindString(sql); m != "" {
		verb = strings.ToUpper(m)
	}
	if m := statementTable.FindStringSubmatch(sql); m != nil && verb != "SET" {
		table = strings.ToLower(m[1])
	}
	return verb, table
}

// pointBack links what is done with a dictation to the trace in which it was received.
func (t *tx) pointBack(ctx context.Context, dictation uuid.UUID) {
	if !trail.Tracing(ctx) {
		return
	}
	received, err := find(ctx, t, "read trace", pgx.RowTo[string], `SELECT coalesce(trace_parent, '') FROM dictations WHERE id = $1`, dictation)
	if err == nil && received != nil {
		trail.Link(ctx, *received)
	}
}
