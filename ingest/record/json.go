package record

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/kindred-id/kindred/internal/jsonscan"
	"github.com/kindred-id/kindred/internal/jsontext"
)

// errNumber is for a number that JSON can't express.
var errNumber = errors.New("holds a number that is not finite")

// errDepth marks a value that nests too deep.
var errDepth = fmt.Errorf("nests more than %d deep", jsonscan.MaxDepth)

// appendBytes appends binary data as encoding/json does: in base64.
func appendBytes(dst, b []byte) []byte {
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, b)
	return append(dst, '"')
}

// appendFloat appends the shortest text that parses to f with the given number of bits.
func appendFloat(dst []byte, f float64, bits int) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dst, errNumber
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, bits), nil
}

// appendTime appends a time as RFC 3339, in UTC.
func appendTime(dst []byte, t time.Time) []byte {
	dst = append(dst, '"')
	dst = t.UTC().AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"')
}

// appendDecimal appends a decimal fraction exactly.
func appendDecimal(dst []byte, r *big.Rat) ([]byte, error) {
	digits, exact := r.FloatPrec()
	if !exact {
		return dst, errors.New("holds a fraction that is not a decimal")
	}
	return append(dst, r.FloatString(digits)...), nil
}

// appendValue appends a value from Avro's decoder. Keys are in byte order, so that a record always gives the same
// text (F2).
func appendValue(dst []byte, value any, depth int) (_ []byte, err error) {
	if depth > jsonscan.MaxDepth {
		return dst, errDepth
	}
	switch v := value.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case int32:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case float32:
		return appendFloat(dst, float64(v), 32)
	case float64:
		return appendFloat(dst, v, 64)
	case string:
		return jsontext.AppendVerbatim(dst, v), nil
	case []byte:
		return appendBytes(dst, v), nil
	case [16]byte: // a UUID
		return fmt.Appendf(dst, `"%x-%x-%x-%x-%x"`, v[0:4], v[4:6], v[6:8], v[8:10], v[10:]), nil
	case time.Time:
		return appendTime(dst, v), nil
	case time.Duration: // a time of the day
		return strconv.AppendInt(dst, v.Milliseconds(), 10), nil
	case *big.Rat:
		return appendDecimal(dst, v)
	case []any:
		dst = append(dst, '[')
		for i, element := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendValue(dst, element, depth+1); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	case map[string]any:
		dst = append(dst, '{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(jsontext.AppendVerbatim(dst, key), ':')
			if dst, err = appendValue(dst, v[key], depth+1); err != nil {
				return dst, err
			}
		}
		return append(dst, '}'), nil
	}
	return dst, fmt.Errorf("holds a %T, which has no form in JSON", value)
}
