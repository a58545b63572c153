package identifier

import (
	"bytes"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// email gives an e-mail address in NFC and lower case, its domain in Punycode.
//
// Case goes from the part before the @ too. The standard would let it matter; no mailbox that people
// have makes it so, and people type it either way. Dots and +tags stay: whether they matter is the
// mailbox's own affair.
func (n *Normaliser) email(value []byte, seen marks) ([]byte, error) {
	if !isPlainEmail(value) {
		text, err := readEmail(string(value))
		if err != nil {
			return nil, err
		}
		n.out = append(n.out[:0], text...)
		return n.out, nil
	}
	if seen&markUpper == 0 {
		return value, nil
	}
	n.out = appendLower(n.out[:0], value)
	return n.out, nil
}

// emailBytes has what may stand in an address of ASCII: 1 before the @ alone, 2 in the domain too.
var emailBytes = func() (table [256]uint8) {
	for b := range table {
		switch c := byte(b); {
		case isAlphanumeric(c) || c == '-' || c == '.' || c == '_':
			table[b] = 2
		case strings.IndexByte("!#$%&'*+/=?^`{|}~", c) >= 0:
			table[b] = 1
		}
	}
	return table
}()

// isPlainEmail reports whether a value is an address of ASCII with nothing around it: local@label.label.
func isPlainEmail(value []byte) bool {
	at := bytes.IndexByte(value, '@')
	if at <= 0 {
		return false
	}
	for _, b := range value[:at] {
		if emailBytes[b] == 0 {
			return false
		}
	}
	return isDomain(value[at+1:]) && value[0] != '\''
}

// isDomain reports whether text is a domain that mail is sent to, in ASCII: two labels or more, of which the last is no number.
func isDomain(text []byte) bool {
	label, labels, numeric := 0, 1, true
	for i, b := range text {
		switch {
		case emailBytes[b] != 2:
			return false
		case b == '.':
			if label == 0 || text[i-1] == '-' {
				return false
			}
			label, numeric = 0, true
			labels++
		default:
			if label == 0 && b == '-' || label == labelBytesMax {
				return false
			}
			label++
			numeric = numeric && b >= '0' && b <= '9'
		}
	}
	return labels > 1 && label > 1 && !numeric && text[len(text)-1] != '-'
}

// labelBytesMax bounds a label of a domain.
const labelBytesMax = 63

// domains maps an international domain to its ASCII form as browsers do.
var domains = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

// readEmail reads an address as people paste it: with a name, as a link, with marks that separate it from the next, and with
// characters that nobody sees. Two addresses in one field are refused.
func readEmail(value string) (string, error) {
	text := trimEmail(strings.Map(emailRune, value))
	if len(text) > len(mailto) && strings.EqualFold(text[:len(mailto)], mailto) {
		text, _, _ = strings.Cut(text[len(mailto):], "?")
		plain, err := url.PathUnescape(text)
		if err != nil {
			return "", errNotEmail
		}
		text = trimEmail(strings.TrimPrefix(strings.Map(emailRune, plain), "//"))
	}
	text, err := bareEmail(text)
	if err != nil {
		return "", err
	}
	at := strings.LastIndexByte(text, '@')
	if at <= 0 {
		return "", errNotEmail
	}
	local := lowerNFC(text[:at])
	if strings.ContainsFunc(local, notLocal) {
		return "", errNotEmail
	}
	domain, err := domains.ToASCII(text[at+1:])
	if err != nil || !isDomain([]byte(domain)) {
		return "", errNotEmail
	}
	return local + "@" + strings.ToLower(domain), nil
}

const mailto = "mailto:"

// bareEmail takes the address out of "Ann <ann@example.com>". A name that holds another address makes two.
func bareEmail(text string) (string, error) {
	name, rest, ok := strings.Cut(text, "<")
	if !ok {
		return text, nil
	}
	address, after, ok := strings.Cut(rest, ">")
	if !ok || strings.TrimSpace(after) != "" {
		return "", errNotEmail
	}
	address, name = trimEmail(address), trimEmail(name)
	if strings.Contains(name, "@") && !strings.EqualFold(name, address) {
		return "", errNotEmail
	}
	if len(address) > len(mailto) && strings.EqualFold(address[:len(mailto)], mailto) {
		address = address[len(mailto):]
	}
	return address, nil
}

// trimEmail takes away quotes, white space and the marks that separate an address from the next.
func trimEmail(text string) string {
	for {
		next := unwrap(strings.Trim(text, " \t\r\n;,`“”„‟‘’‚‛«»‹›"))
		if next = strings.TrimSuffix(next, "."); next == text {
			return text
		}
		text = next
	}
}

func emailRune(r rune) rune {
	if isInvisible(r) {
		return -1
	}
	return narrow(r)
}

// notLocal reports whether a character does not stand before the @ of an address without quotes.
func notLocal(r rune) bool {
	if r < utf8.RuneSelf {
		return emailBytes[r] == 0
	}
	return unicode.IsSpace(r) || unicode.IsControl(r)
}

// lowerNFC gives text in lower case and NFC. NFC goes before, so that İ and I with a dot above become the same, and after,
// because a letter in lower case may combine with marks that its capital did not.
func lowerNFC(text string) string {
	return norm.NFC.String(string(appendLower(nil, norm.NFC.Bytes([]byte(text)))))
}
