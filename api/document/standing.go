package document

import (
	"strconv"

	"github.com/kindred-id/kindred/graph/audience"
)

// appendAudiences appends the member audiences of a Profile.
//
// REQUIRES: len(s.Audiences) > 0
func appendAudiences(dst []byte, s *audience.Standing) []byte {
	for i := range s.Audiences {
		in := &s.Audiences[i]
		dst = append(appendString(append(dst, "{,"[min(i, 1)]), in.Key), ":{"...)
		if in.Since != 0 {
			dst = appendTime(append(dst, `"since":`...), in.Since)
		}
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// appendComputed appends the member computed of a Profile.
//
// REQUIRES: len(s.Computed) > 0
func appendComputed(dst []byte, s *audience.Standing) []byte {
	for i := range s.Computed {
		c := &s.Computed[i]
		dst = append(appendString(append(dst, "{,"[min(i, 1)]), c.Key), ':')
		dst = AppendValue(dst, &c.Value)
	}
	return append(dst, '}')
}

// AppendValue appends the value of a computed trait: a number, a text, a time as a text, or a list of texts.
func AppendValue(dst []byte, v *audience.Value) []byte {
	switch v.Kind {
	case audience.NumberValue:
		if v.Decimals == 0 {
			return strconv.AppendInt(dst, v.Number, 10)
		}
		return append(dst, audience.FormatDecimal(v.Number, v.Decimals)...)
	case audience.TextValue:
		return appendString(dst, v.Text)
	case audience.TimeValue:
		return appendTime(dst, v.Number)
	case audience.ListValue:
		dst = append(dst, '[')
		for i, text := range v.List {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendString(dst, text)
		}
		return append(dst, ']')
	}
	return append(dst, "null"...)
}
