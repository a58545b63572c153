package generate

// An announcement is an event that the shop's server will send about a person, some events from now.
type announcement struct {
	person uint32
	guest  bool // known by an address alone
	kind   announcementKind
	order  order
}

type announcementKind uint8

const (
	announceCopy announcementKind = iota
	announceUpdate
	announceCancel
	announceRefund
	announceLegacy // an import: the customer under an older number
	announceRename // the alias to today's number
)

// A server plans announcements, and later writes their events.
type server struct {
	*folk
	dice    dice
	writer  *writer
	planned schedule[announcement]

	copies, updates, cancellations, refunds threshold // of orders
	afterwards                              uint32    // how many events after a purchase it still speaks of it, at most
}

// newServer returns the server of a shop.
func newServer(c *Config, s *shop) server {
	return server{
		folk: &s.folk, dice: s.dice, writer: &s.writer,
		copies: thresholdOf(c.Copy), updates: thresholdOf(c.Update),
		cancellations: thresholdOf(c.Cancel), refunds: thresholdOf(c.Refund),
		afterwards: uint32(min(max(c.Events/10, 1000), 100_000)),
	}
}

// maxAnnouncements bounds the memory of planned announcements. Beyond it the server sends none.
const maxAnnouncements = 1 << 17

// plan adds an announcement that is due after a number of events.
func (s *server) plan(delay uint32, a announcement) {
	if s.planned.len() < maxAnnouncements {
		s.planned.add(s.writer.made+uint64(delay), a)
	}
}

// announceOrder plans the server's events about a purchase. A copy comes before an update, so that the update has the
// last word.
func (s *server) announceOrder(v *visit) {
	a := announcement{person: v.person, guest: !v.loggedIn, order: v.order}
	if s.dice.chance(s.copies) {
		a.kind = announceCopy
		s.plan(s.dice.between(1, 50), a)
	}
	if s.dice.chance(s.updates) {
		a.kind = announceUpdate
		a.order.quantities[0]++
		s.plan(s.dice.between(60, 500), a)
	}
	if s.dice.chance(s.cancellations) {
		a.kind = announceCancel
		s.plan(s.dice.between(100, s.afterwards), a)
	}
	if s.dice.chance(s.refunds) {
		a.kind = announceRefund
		s.plan(s.dice.between(600, s.afterwards), a)
	}
}

// announceAlias plans the only two events that know a person's older number.
func (s *server) announceAlias(p uint64) {
	s.plan(s.dice.between(1, 50), announcement{person: uint32(p), kind: announceLegacy})
	s.plan(s.dice.between(60, 500), announcement{person: uint32(p), kind: announceRename})
}

// announce appends the event of an announcement.
func (s *server) announce(dst []byte, a *announcement) []byte {
	p := uint64(a.person)
	x := sender{person: p, server: true}
	if a.guest {
		x.email = identOf(idEmail, p*2)
	} else {
		x.user, x.loyalty = identOf(idUser, p), s.loyaltyCard(p)
	}
	switch a.kind {
	case announceCopy:
		s.writer.fact.order = a.order.fact(orderCompleted)
		return s.writer.appendOrder(dst, "Order Completed", &a.order, &x)
	case announceUpdate:
		s.writer.fact.order = a.order.fact(orderUpdated)
		return s.writer.appendOrder(dst, "Order Updated", &a.order, &x)
	case announceCancel:
		s.writer.fact.order = orderFact{kind: orderCancelled, number: a.order.number}
		return s.writer.appendOrder(dst, "Order Cancelled", &a.order, &x)
	case announceRefund:
		return s.refund(dst, a, &x)
	case announceLegacy:
		x.user, x.loyalty = identOf(idLegacyUser, p), 0
		dst = s.writer.open(dst, kindIdentify, "", &x)
		dst = append(dst, `,"traits":{`...)
		dst = s.writer.setTrait(dst, traitLastName, lastNames[lastNameOf(s.seed, p)].text)
		return s.writer.close(append(dst, '}'), &x)
	default: // announceRename
		x.previous, x.loyalty = identOf(idLegacyUser, p), 0
		return s.writer.close(s.writer.open(dst, kindAlias, "", &x), &x)
	}
}

// refund refunds everything, or one item if there are several. A quarter of those who got one item refunded get the
// rest refunded later.
func (s *server) refund(dst []byte, a *announcement, x *sender) []byte {
	o := &a.order
	s.writer.fact.order = orderFact{kind: orderRefunded, number: o.number, full: true}
	dst = s.writer.open(dst, kindTrack, "Order Refunded", x)
	dst = appendOrderID(append(dst, `,"properties":{`...), o.number)
	dst = append(dst, `,"currency":"USD"`...)
	piece := catalogue()[o.products[0]].cents
	if s.dice.below(2) == 0 && piece <= o.net()/2 {
		s.writer.fact.order.full, s.writer.fact.order.refund = false, piece
		dst = o.appendAmount(dst, "total", piece)
		back := basket{}
		back.add(o.products[0], 1)
		dst = back.appendProducts(dst)
		if s.dice.below(4) == 0 {
			s.plan(s.dice.between(1, s.afterwards), *a)
		}
	}
	return s.writer.close(append(dst, '}'), x)
}
