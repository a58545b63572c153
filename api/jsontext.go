package api

import "github.com/kindred-id/kindred/internal/jsontext"

func appendString[T string | []byte](dst []byte, s T) []byte { return jsontext.AppendString(dst, s) }

func appendCompact(dst, text []byte) []byte { return jsontext.AppendCompact(dst, text) }

func appendTime(dst []byte, ms int64) []byte { return jsontext.AppendTime(dst, ms) }

func appendTimeOrNull(dst []byte, ms int64, known bool) []byte {
	return jsontext.AppendTimeOrNull(dst, ms, known)
}
