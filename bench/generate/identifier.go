package generate

import "strconv"

// An ident stands for an identifier: its kind in the top byte, its number below. Different idents have different
// values, so the truth compares idents and writes values only at the end. Zero stands for no identifier.
type ident uint64

type identKind uint8

const (
	idUser         identKind = 1 + iota // number: the person
	idLegacyUser                        // the person
	idEmail                             // the person × 2 + which of two
	idPhone                             // the person
	idLoyalty                           // the person
	idDevice                            // the person × devicesMax + the device
	idAnonymous                         // likewise
	idAnalytics                         // likewise
	idGenericEmail                      // the call centre
	idGenericPhone                      // the call centre
	identKinds
)

var namespaces = [identKinds]string{
	idUser: "user_id", idLegacyUser: "user_id", idEmail: "email", idPhone: "phone", idLoyalty: "loyalty_card",
	idDevice: "device_id", idAnonymous: "anonymous_id", idAnalytics: "ga_client_id",
	idGenericEmail: "email", idGenericPhone: "phone",
}

// identOf packs an ident:
//
//	63     56 55                                    0
//	┌────────┬────────────────────────────────────────┐
//	│  kind  │ number; each kind gives it a meaning   │
//	└────────┴────────────────────────────────────────┘
func identOf(kind identKind, n uint64) ident { return ident(uint64(kind)<<56 | n) }

func (id ident) kind() identKind   { return identKind(id >> 56) }
func (id ident) number() uint64    { return uint64(id) & (1<<56 - 1) }
func (id ident) namespace() string { return namespaces[id.kind()] }

// generic reports whether the identifier belongs to no single person.
func (id ident) generic() bool { return id.kind() == idGenericEmail || id.kind() == idGenericPhone }

// The ways to write a value. Kinds with only the normalised way use that.
const (
	formNormal = iota
	formSpaced // e-mail: blanks around. Phone: (212) 555-0123
	formUpper  // e-mail: all capitals. UUID likewise. Phone: 212-555-0123
	formTitle  // e-mail: the first letter. Phone: +1 212 555 0123
	formsEnd
)

// billion bounds the numbers that permute gives; its multiplier is coprime with it.
const billion = 1_000_000_000

// permute maps n to nine digits, without collisions. REQUIRES: n < billion.
func permute(n, shift uint64) uint64 { return (n*387_420_489 + shift) % billion }

// appendValue appends the identifier's value. It needs no escapes in JSON.
func (id ident) appendValue(dst []byte, seed uint64, form int) []byte {
	n := id.number()
	switch id.kind() {
	case idUser:
		return appendDigits(append(dst, "cus_"...), permute(n, 711_943_423), 9)
	case idLegacyUser:
		return appendDigits(append(dst, "web-"...), permute(n, 30_271_111), 9)
	case idLoyalty:
		return appendDigits(append(dst, "LC400"...), permute(n, 1_618_033), 9)
	case idAnalytics:
		dst = appendDigits(append(dst, '1'), permute(n, 0), 9)
		return appendDigits(append(dst, '.'), 1_600_000_000+hash(seed, n, saltAnalytics)%100_000_000, 10)
	case idEmail:
		return appendEmail(dst, seed, n, form)
	case idGenericEmail:
		dst = strconv.AppendUint(append(dst, "service"...), n, 10)
		return append(dst, "@callcentre.example"...)
	case idPhone:
		return appendPhone(dst, n, form)
	case idGenericPhone:
		return appendPhone(dst, phoneNumbers-1-n, form)
	default: // device, cookie
		return appendUUID(dst, hash(seed, uint64(id), saltUUIDHigh), hash(seed, uint64(id), saltUUIDLow), form == formUpper)
	}
}

// appendEmail appends an address. Even numbers are a person's own address (first.lastP@), odd ones the address at work
// (flastP@). Both hold the person's number P, so two people with one name have different addresses.
func appendEmail(dst []byte, seed, n uint64, form int) []byte {
	from := len(dst)
	if form == formSpaced {
		dst = append(dst, ' ')
	}
	body := len(dst)
	p := n / 2
	first, last := firstNames[firstNameOf(seed, p)].address, lastNames[lastNameOf(seed, p)].address
	if n%2 == 0 {
		dst = append(append(append(dst, first...), '.'), last...)
		dst = append(strconv.AppendUint(dst, p, 10), '@')
		dst = append(dst, mailHosts[scale(hash(seed, p, saltMailHost), uint32(len(mailHosts)))]...)
	} else {
		dst = append(append(dst, first[0]), last...)
		dst = append(strconv.AppendUint(dst, p, 10), '@')
		dst = append(dst, workHosts[scale(hash(seed, p, saltMailHost), uint32(len(workHosts)))]...)
	}
	switch form {
	case formSpaced:
		dst = append(dst, "  "...)
	case formUpper:
		upper(dst[from:])
	case formTitle:
		upper(dst[body : body+1])
	}
	return dst
}

func upper(b []byte) {
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
}

// Phone numbers are those of 64 area codes, 800 exchanges and 10,000 lines.
const (
	phoneNumbers = 64 * 800 * 10_000
	phoneStep    = 198_491_317 // coprime with phoneNumbers: neighbours get numbers far apart
)

// appendPhone appends a number of the United States. REQUIRES: n < phoneNumbers.
func appendPhone(dst []byte, n uint64, form int) []byte {
	n = n * phoneStep % phoneNumbers
	area, exchange, line := uint64(areaCodes[n/8_000_000]), 200+n/10_000%800, n%10_000
	before, between, last := "+1", "", ""
	switch form {
	case formSpaced:
		before, between, last = "(", ") ", "-"
	case formUpper:
		before, between, last = "", "-", "-"
	case formTitle:
		before, between, last = "+1 ", " ", " "
	}
	dst = appendDigits(append(dst, before...), area, 3)
	dst = appendDigits(append(dst, between...), exchange, 3)
	return appendDigits(append(dst, last...), line, 4)
}

// appendUUID appends a UUID of version 4.
// The 128 bits come from two hashes. Version (4) and variant (binary 10) replace six of them, so 122 bits tell devices
// apart: a collision within one stream is practically impossible.
func appendUUID(dst []byte, hi, lo uint64, capitals bool) []byte {
	hex := "0123456789abcdef"
	if capitals {
		hex = "0123456789ABCDEF"
	}
	hi = hi&^0xf000 | 0x4000
	lo = lo&^(3<<62) | 2<<62
	var b [36]byte
	at := 0
	for i := 60; i >= 0; i -= 4 {
		if i == 28 || i == 12 {
			b[at] = '-'
			at++
		}
		b[at] = hex[hi>>i&15]
		at++
	}
	for i := 60; i >= 0; i -= 4 {
		if i == 60 || i == 44 {
			b[at] = '-'
			at++
		}
		b[at] = hex[lo>>i&15]
		at++
	}
	return append(dst, b[:]...)
}

// appendDigits appends the last digits of n, with zeros in front.
func appendDigits(dst []byte, n uint64, digits int) []byte {
	var b [20]byte
	for i := digits - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return append(dst, b[:digits]...)
}
