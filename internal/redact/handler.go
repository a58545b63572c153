package redact

import (
	"context"
	"fmt"
	"log/slog"
)

// Handler masks messages and values before it passes records on. Names of attributes are those of the program and stay.
type Handler struct{ next slog.Handler }

// NewHandler returns a Handler in front of next.
func NewHandler(next slog.Handler) Handler { return Handler{next} }

// Enabled implements slog.Handler.
func (h Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h Handler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, Text(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(attr(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

// WithAttrs implements slog.Handler.
func (h Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return Handler{h.next.WithAttrs(all(attrs))}
}

// WithGroup implements slog.Handler.
func (h Handler) WithGroup(name string) slog.Handler { return Handler{h.next.WithGroup(name)} }

func all(attrs []slog.Attr) []slog.Attr {
	clean := make([]slog.Attr, len(attrs))
	for i := range attrs {
		clean[i] = attr(attrs[i])
	}
	return clean
}

// attr masks the value of an attribute. A value that is no number, time or truth value is masked as the text that it would
// be printed as: what a handler makes of it afterwards can't be seen from here.
func attr(a slog.Attr) slog.Attr {
	a.Value = a.Value.Resolve()
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(Text(a.Value.String()))
	case slog.KindGroup:
		a.Value = slog.GroupValue(all(a.Value.Group())...)
	case slog.KindAny:
		a.Value = slog.StringValue(Text(fmt.Sprint(a.Value.Any())))
	default:
	}
	return a
}
