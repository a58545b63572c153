package generate

// A sender is the part of an event that describes its origin.
type sender struct {
	person                     uint64
	server, app                bool
	browser                    uint8 // or handset, of the tables
	page                       page
	anonymous, user, previous  ident // on top of the event
	email, phone               ident // in context.traits
	device, analytics, loyalty ident // in the context
	spoiled                    spoiled
}

// A page is where a browser is when it sends an event.
type page struct {
	place    uint8  // of the places
	path     string // instead of that of the place, if not empty
	referrer uint32 // of the referrers
}

// spoiled is the identifier of an event that is worthless: at most one is.
type spoiled uint8

const (
	spoiledNone spoiled = iota
	spoiledAnonymous
	spoiledUser
	spoiledUserNull // JSON null instead of a value
	spoiledEmail
	spoiledDevice
	spoiledAnalytics
)

// uuidForm is how the sender writes UUIDs.
func (x *sender) uuidForm() int {
	if x.app && handsets[x.browser].apple {
		return formUpper
	}
	return formNormal
}

// append appends the fields that describe the page, without braces.
func (p *page) append(dst []byte) []byte {
	path, title := p.path, "Harbour"
	if path == "" {
		path, title = places[p.place].path, places[p.place].title
	}
	dst = append(append(dst, `"path":"`...), path...)
	dst = append(append(dst, `","referrer":"`...), referrers[p.referrer]...)
	dst = append(append(dst, `","title":"`...), title...)
	dst = append(append(append(dst, `","url":"`...), shopURL...), path...)
	return append(dst, '"')
}

// senderOf returns the sender of a visit's next event. Only some events after the login carry the customer.
func (s *site) senderOf(v *visit) sender {
	p := uint64(v.person)
	x := sender{person: p, app: v.app, anonymous: s.cookie(p, v.device)}
	machine := hash(s.seed, s.cookieNumber(p, v.device), saltBrowser)
	if v.app {
		x.browser = uint8(machine % uint64(len(handsets)))
		x.device = s.deviceID(p, v.device)
	} else {
		x.browser = uint8(machine % uint64(len(browsers)))
		x.analytics = s.analytics(p, v.device)
		x.page.place, x.page.referrer = uint8(s.dice.below(uint32(len(places)))), s.dice.below(uint32(len(referrers)))
	}
	if v.loggedIn {
		switch n := s.dice.below(100); {
		case n < 8:
			return x
		case n < 13:
			x.email = identOf(idEmail, p*2)
		case n < 30:
			x.loyalty = s.loyaltyCard(p)
		}
		x.user = identOf(idUser, p)
	}
	return x
}

// spoil puts a worthless identifier into some events, never in place of the last good one (G3).
func (s *site) spoil(x *sender) {
	if !s.dice.chance(s.junk) {
		return
	}
	switch n := s.dice.below(5); {
	case n == 0 && x.email == 0:
		x.spoiled = spoiledEmail
	case n == 1 && x.app:
		x.spoiled = spoiledDevice
	case n == 1 && !x.server:
		x.spoiled = spoiledAnalytics
	case n == 2 && x.user == 0:
		x.spoiled = spoiledUserNull
	case x.user == 0:
		x.spoiled = spoiledUser
	default:
		x.spoiled = spoiledAnonymous
	}
}
