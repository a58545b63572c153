package identifier

import (
	"bytes"

	"golang.org/x/text/unicode/norm"
)

// email gives an e-mail address in NFC and lower case.
//
// Case goes from the part before the @ too. The standard would let it matter; no mailbox that people
// have makes it so, and people type it either way. Dots and +tags stay: whether they matter is the
// mailbox's own affair.
func (n *Normaliser) email(value []byte, seen marks) ([]byte, error) {
	normal := value
	switch {
	case seen&markWide != 0:
		// NFC before, so that İ and I with a dot above become the same; NFC after, because a letter in
		// lower case may combine with marks that its capital did not.
		n.work = norm.NFC.Append(n.work[:0], value...)
		n.fold = appendLower(n.fold[:0], n.work)
		n.out = norm.NFC.Append(n.out[:0], n.fold...)
		normal = n.out
	case seen&markUpper != 0:
		n.out = appendLower(n.out[:0], value)
		normal = n.out
	}
	at := bytes.IndexByte(normal, '@')
	if at <= 0 || at == len(normal)-1 || bytes.IndexByte(normal[at+1:], '@') >= 0 {
		return nil, errNotEmail
	}
	return normal, nil
}
