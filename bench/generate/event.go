package generate

// open appends an event's head, up to and without its traits or properties. Name is the event of a
// track call and the name of a screen.
func (s *shop) open(dst []byte, kind eventKind, name string, x *sender) []byte {
	s.fact.kind, s.fact.person = kind, x.person
	dst = s.clock.append(append(dst, `{"timestamp":"`...), s.now)
	dst = append(dst, `","messageId":"`...)
	dst = appendUUID(dst, hash(s.seed, s.made, saltMessageHigh), hash(s.seed, s.made, saltMessageLow), false)
	dst = append(append(dst, `","type":"`...), eventTypes[kind]...)
	switch kind {
	case kindTrack:
		dst = append(append(dst, `","event":"`...), name...)
	case kindScreen:
		dst = append(append(dst, `","name":"`...), name...)
	}
	dst = append(dst, '"')
	if x.anonymous != 0 {
		dst = s.identify(append(dst, `,"anonymousId":"`...), x.anonymous, x.junkAnonymous, s.uuidForm(x))
	}
	switch {
	case x.user != 0 || x.junkUser:
		dst = s.identify(append(dst, `,"userId":"`...), x.user, x.junkUser, formNormal)
	case x.junkUserIsNil:
		dst = append(dst, `,"userId":null`...)
	}
	if x.previous != 0 {
		dst = s.identify(append(dst, `,"previousId":"`...), x.previous, false, formNormal)
	}
	return dst
}

// identify appends an identifier's value and the quotation mark after it, and records it; or junk.
func (s *shop) identify(dst []byte, id ident, spoiled bool, form int) []byte {
	if spoiled {
		dst = append(dst, junk[s.dice.below(uint32(len(junk)))]...)
	} else {
		s.fact.carry(id)
		dst = id.appendValue(dst, s.seed, form)
	}
	return append(dst, '"')
}

// uuidForm is how a sender writes UUIDs.
func (s *shop) uuidForm(x *sender) int {
	if x.app && handsets[x.browser].apple {
		return formUpper
	}
	return formNormal
}

// contactForm is how an e-mail or a phone is written this time.
func (s *shop) contactForm() int {
	if s.dice.chance(s.rawForms) {
		return int(s.dice.between(1, formsEnd-1))
	}
	return formNormal
}

// close appends the context and the end of an event.
func (s *shop) close(dst []byte, x *sender) []byte {
	dst = append(dst, `,"context":{`...)
	switch {
	case x.server:
		dst = append(dst, serverLibrary...)
	case x.app:
		dst = s.appendHandset(dst, x)
	default:
		dst = append(append(dst, browserLibrary...), ',')
		dst = append(append(dst, browsers[x.browser]...), `,"page":{`...)
		dst = append(s.appendPage(dst, x), '}')
	}
	if !x.server {
		ip := hash(s.seed, x.person, saltAddress)
		dst = appendDecimal(append(dst, `,"ip":"198.`...), 18+ip&1) // 198.18.0.0/15 is for tests
		dst = appendDecimal(append(dst, '.'), ip>>8&255)
		dst = append(appendDecimal(append(dst, '.'), ip>>16&255), '"')
	}
	dst = s.appendContacts(dst, x)
	dst = s.appendExternalIDs(dst, x)
	return append(dst, `}}`...)
}

func (s *shop) appendHandset(dst []byte, x *sender) []byte {
	h := &handsets[x.browser]
	library := androidLibrary
	if h.apple {
		library = appleLibrary
	}
	dst = append(append(dst, library...), ',')
	dst = append(append(dst, h.rest...), `,"device":{"id":"`...)
	dst = s.identify(dst, x.device, x.junkDevice, s.uuidForm(x))
	return append(append(append(dst, ','), h.model...), '}')
}

// appendPage appends the fields that describe a page, without braces.
func (s *shop) appendPage(dst []byte, x *sender) []byte {
	path, title := x.path, "Harbour"
	if path == "" {
		path, title = places[x.page].path, places[x.page].title
	}
	dst = append(append(dst, `"path":"`...), path...)
	dst = append(append(dst, `","referrer":"`...), referrers[x.referrer]...)
	dst = append(append(dst, `","title":"`...), title...)
	dst = append(append(append(dst, `","url":"`...), shopURL...), path...)
	return append(dst, '"')
}

func (s *shop) appendContacts(dst []byte, x *sender) []byte {
	if x.email == 0 && !x.junkEmail {
		return dst
	}
	dst = s.remember(append(dst, `,"traits":{"email":"`...), traitEmail, x.email, x.junkEmail)
	if x.phone != 0 {
		dst = s.remember(append(dst, `,"phone":"`...), traitPhone, x.phone, false)
	}
	return append(dst, '}')
}

// remember appends an address that the library remembers. It is not an identifier of a call whose own traits have one
// of that kind.
func (s *shop) remember(dst []byte, trait uint8, id ident, spoiled bool) []byte {
	form := s.contactForm()
	if spoiled || !s.fact.setsTrait(trait) {
		return s.identify(dst, id, spoiled, form)
	}
	return append(id.appendValue(dst, s.seed, form), '"')
}

func (s *shop) appendExternalIDs(dst []byte, x *sender) []byte {
	external := func(dst []byte, before, kind string, id ident, spoiled bool) []byte {
		dst = s.identify(append(append(dst, before...), `{"id":"`...), id, spoiled, formNormal)
		return append(append(append(dst, `,"type":"`...), kind...), `","collection":"users","encoding":"none"}`...)
	}
	before := `,"externalIds":[`
	if x.analytics != 0 || x.junkAnalytics {
		dst = external(dst, before, "ga_client_id", x.analytics, x.junkAnalytics)
		before = ","
	}
	if x.loyalty != 0 {
		dst = external(dst, before, "loyalty_card", x.loyalty, false)
		before = ","
	}
	if before == "," {
		dst = append(dst, ']')
	}
	return dst
}

func appendDecimal(dst []byte, n uint64) []byte {
	switch {
	case n > 99:
		return appendDigits(dst, n, 3)
	case n > 9:
		return appendDigits(dst, n, 2)
	}
	return appendDigits(dst, n, 1)
}
