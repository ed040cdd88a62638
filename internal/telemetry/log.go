package telemetry

import (
	"context"
	"log/slog"
	"strings"

	"vesper/internal/trail"
)

// Log names request and trace in each line, and withholds attributes whose name says that a person's words or a secret
// may stand in them. It is the second line: a test of the house forbids such names where lines are written.
func Log(next slog.Handler) slog.Handler { return logHandler{next} }

type logHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	named := false
	r.Attrs(func(a slog.Attr) bool {
		named = named || a.Key == "request"
		out.AddAttrs(guarded(a))
		return true
	})
	if id := trail.Request(ctx); id != "" && !named {
		out.AddAttrs(slog.String("request", id))
	}
	if id := trail.ID(ctx); id != "" {
		out.AddAttrs(slog.String("trace", id))
	}
	return h.Handler.Handle(ctx, out)
}

// WithAttrs implements slog.Handler.
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	kept := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		kept[i] = guarded(a)
	}
	return logHandler{h.Handler.WithAttrs(kept)}
}

// WithGroup implements slog.Handler.
func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }

// withheld are the names of attributes that no line may hold.
var withheld = func() map[string]bool {
	names := map[string]bool{}
	for _, name := range strings.Fields(`patient mrn birth_date birthdate password secret token cookie authorization body text words word
		filename file_name title heard written search query login email phone reason`) {
		names[name] = true
	}
	return names
}()

// Withheld says whether an attribute of this name may stand in the log.
func Withheld(name string) bool { return withheld[strings.ToLower(name)] }

func guarded(a slog.Attr) slog.Attr {
	if Withheld(a.Key) {
		return slog.String(a.Key, "withheld")
	}
	if a.Value.Kind() != slog.KindGroup {
		return a
	}
	var kept []slog.Attr
	for _, inner := range a.Value.Group() {
		kept = append(kept, guarded(inner))
	}
	return slog.Attr{Key: a.Key, Value: slog.GroupValue(kept...)}
}
