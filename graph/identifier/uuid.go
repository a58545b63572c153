package identifier

// hexBytesMin is the length from which a string of nothing but hex digits is taken for a number whose
// case means nothing. A shorter one may well be somebody's name.
const hexBytesMin = 16

const urnPrefix = "urn:uuid:"

// uuid gives a UUID in lower case, without braces or urn prefix, and a long hex string in lower
// case. Anything else keeps its case.
func (n *Normaliser) uuid(value []byte, seen marks) []byte {
	bare := value
	if len(bare) == len(urnPrefix)+36 && equalFold(bare[:len(urnPrefix)], urnPrefix) {
		bare = bare[len(urnPrefix):]
	} else if len(bare) == 38 && bare[0] == '{' && bare[37] == '}' {
		bare = bare[1:37]
	}
	switch {
	case IsUUID(bare):
	case len(value) >= hexBytesMin && isHex(value):
		bare = value
	default:
		return value
	}
	if seen&markUpper == 0 {
		return bare
	}
	n.out = appendLower(n.out[:0], bare)
	return n.out
}

// IsUUID reports whether text is 8-4-4-4-12 hex digits, of any version.
func IsUUID(text []byte) bool {
	return len(text) == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-' &&
		isHex(text[:8]) && isHex(text[9:13]) && isHex(text[14:18]) && isHex(text[19:23]) && isHex(text[24:])
}

// notHex has a 1 for each byte that is no hex digit.
var notHex = func() (table [256]uint8) {
	for b := range table {
		if c := lowerByte(byte(b)); (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			table[b] = 1
		}
	}
	return table
}()

// isHex reports whether a text is hex digits alone. It does not branch on a digit: the processor cannot predict whether
// the next one is a letter.
func isHex(text []byte) bool {
	other := uint8(0)
	for _, b := range text {
		other |= notHex[b]
	}
	return other == 0
}

// equalFold reports whether text, in any case, is lower. REQUIRES: lower is ASCII and in lower case.
func equalFold(text []byte, lower string) bool {
	if len(text) != len(lower) {
		return false
	}
	for i, b := range text {
		if lowerByte(b) != lower[i] {
			return false
		}
	}
	return true
}
