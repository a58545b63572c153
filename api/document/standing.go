package document

import (
	"github.com/kindred-id/kindred/graph/audience"
)

// appendAudiences appends the member audiences of a Profile.
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
