package api

import "github.com/kindred-id/kindred/internal/jsontext"

func appendString[T string | []byte](dst []byte, s T) []byte { return jsontext.AppendString(dst, s) }
