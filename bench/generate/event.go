package generate

// A writer appends the events as text, and describes the event under way in its fact.
//
// An event is written from its head to its end: begin, open, its traits or properties, close. Each identifier passes
// through identify, which writes it and records it, so the text and the fact cannot differ.
type writer struct {
	seed     uint64
	dice     dice
	rawForms threshold
	clock    clock
	made     uint64 // events before the one under way
	now      int64  // of the event under way, like fact
	fact     fact
}

// begin starts the next event.
func (w *writer) begin(now int64) { w.now, w.fact = now, fact{time: now} }

// appendTime appends the time of the event.
func (w *writer) appendTime(dst []byte) []byte { return w.clock.append(dst, w.now) }

// open appends an event's head, up to and without its traits or properties. Name is the event of a
// track call and the name of a screen.
func (w *writer) open(dst []byte, kind eventKind, name string, x *sender) []byte {
	w.fact.kind, w.fact.person = kind, x.person
	dst = w.appendTime(append(dst, `{"timestamp":"`...))
	dst = append(dst, `","messageId":"`...)
	dst = appendUUID(dst, hash(w.seed, w.made, saltMessageHigh), hash(w.seed, w.made, saltMessageLow), false)
	dst = append(append(dst, `","type":"`...), eventTypes[kind]...)
	switch kind {
	case kindTrack:
		dst = append(append(dst, `","event":"`...), name...)
	case kindScreen:
		dst = append(append(dst, `","name":"`...), name...)
	}
	dst = append(dst, '"')
	if x.anonymous != 0 {
		dst = w.identify(append(dst, `,"anonymousId":"`...), x.anonymous, x.spoiled == spoiledAnonymous, x.uuidForm())
	}
	switch {
	case x.user != 0 || x.spoiled == spoiledUser:
		dst = w.identify(append(dst, `,"userId":"`...), x.user, x.spoiled == spoiledUser, formNormal)
	case x.spoiled == spoiledUserNull:
		dst = append(dst, `,"userId":null`...)
	}
	if x.previous != 0 {
		dst = w.identify(append(dst, `,"previousId":"`...), x.previous, false, formNormal)
	}
	return dst
}

// identify appends an identifier's value and the quotation mark after it, and records it; or junk.
func (w *writer) identify(dst []byte, id ident, spoiled bool, form int) []byte {
	if spoiled {
		dst = append(dst, junk[w.dice.below(uint32(len(junk)))]...)
	} else {
		w.fact.carry(id)
		dst = id.appendValue(dst, w.seed, form)
	}
	return append(dst, '"')
}

// contactForm is how an e-mail or a phone is written this time.
func (w *writer) contactForm() int {
	if w.dice.chance(w.rawForms) {
		return int(w.dice.between(1, formsEnd-1))
	}
	return formNormal
}

// close appends the context and the end of an event.
func (w *writer) close(dst []byte, x *sender) []byte {
	dst = append(dst, `,"context":{`...)
	switch {
	case x.server:
		dst = append(dst, serverLibrary...)
	case x.app:
		dst = w.appendHandset(dst, x)
	default:
		dst = append(append(dst, browserLibrary...), ',')
		dst = append(append(dst, browsers[x.browser]...), `,"page":{`...)
		dst = append(x.page.append(dst), '}')
	}
	if !x.server {
		ip := hash(w.seed, x.person, saltAddress)
		dst = appendDecimal(append(dst, `,"ip":"198.`...), 18+ip&1) // 198.18.0.0/15 is for tests
		dst = appendDecimal(append(dst, '.'), ip>>8&255)
		dst = append(appendDecimal(append(dst, '.'), ip>>16&255), '"')
	}
	dst = w.appendContacts(dst, x)
	dst = w.appendExternalIDs(dst, x)
	return append(dst, `}}`...)
}

func (w *writer) appendHandset(dst []byte, x *sender) []byte {
	h := &handsets[x.browser]
	library := androidLibrary
	if h.apple {
		library = appleLibrary
	}
	dst = append(append(dst, library...), ',')
	dst = append(append(dst, h.rest...), `,"device":{"id":"`...)
	dst = w.identify(dst, x.device, x.spoiled == spoiledDevice, x.uuidForm())
	return append(append(append(dst, ','), h.model...), '}')
}

func (w *writer) appendContacts(dst []byte, x *sender) []byte {
	if x.email == 0 && x.spoiled != spoiledEmail {
		return dst
	}
	dst = w.remember(append(dst, `,"traits":{"email":"`...), traitEmail, x.email, x.spoiled == spoiledEmail)
	if x.phone != 0 {
		dst = w.remember(append(dst, `,"phone":"`...), traitPhone, x.phone, false)
	}
	return append(dst, '}')
}

// remember appends an address that the library remembers. It is not an identifier of a call whose own traits have one
// of that kind.
func (w *writer) remember(dst []byte, trait uint8, id ident, spoiled bool) []byte {
	form := w.contactForm()
	if spoiled || !w.fact.setsTrait(trait) {
		return w.identify(dst, id, spoiled, form)
	}
	return append(id.appendValue(dst, w.seed, form), '"')
}

func (w *writer) appendExternalIDs(dst []byte, x *sender) []byte {
	external := func(dst []byte, before, kind string, id ident, spoiled bool) []byte {
		dst = w.identify(append(append(dst, before...), `{"id":"`...), id, spoiled, formNormal)
		return append(append(append(dst, `,"type":"`...), kind...), `","collection":"users","encoding":"none"}`...)
	}
	before := `,"externalIds":[`
	if x.analytics != 0 || x.spoiled == spoiledAnalytics {
		dst = external(dst, before, "ga_client_id", x.analytics, x.spoiled == spoiledAnalytics)
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
