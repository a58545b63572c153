// Package redact keeps what names a person, and what opens a door, out of logs.
//
//	slog.Logger ──► Handler: message and values ──► Text ──► text or JSON, one event a line
//
// Two defences, of which the first is the rule: code logs no identifier, and holds secrets as a Secret, whose every form is
// the same word. Handler is the second: it masks what still looks like an address, a telephone number, an identifier with its
// namespace or a key, wherever it came from, such as the error of a library. It can't know a bare customer number.
package redact
