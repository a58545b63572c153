package generate

// A shop makes the events, one after another, each later than the previous. Deliveries are the Generator's concern.
//
//	visits ──► planner: who comes, on which device, when they log in, whether they buy
//	       └─► site: the event of the next step ──┐
//	server: the event of an announcement ─────────┴──► writer ──► line, fact
//
// All of them draw from one dice, one after another, so the stream is a function of the Config (G1).
type shop struct {
	folk
	dice    dice
	deeds   deeds
	writer  writer
	server  server
	planner planner
	site    site
	visits  []visit
}

// newShop returns a shop that remembers the deeds of a number of people and has a number of visits under way. next
// draws the person of each new visit.
func newShop(c *Config, remembered, visits int, next func() uint64) *shop {
	s := &shop{folk: newFolk(c), dice: newDice(c.Seed), deeds: make(deeds, remembered), visits: make([]visit, visits)}
	s.writer = writer{seed: c.Seed, dice: s.dice, rawForms: thresholdOf(c.RawForms)}
	s.server = newServer(c, s)
	s.planner = planner{
		folk: &s.folk, dice: s.dice, deeds: s.deeds, next: next,
		browseOnly: thresholdOf(1. / 3),
	}
	s.site = site{
		folk: &s.folk, dice: s.dice, deeds: s.deeds, writer: &s.writer, server: &s.server,
		till: till{dice: s.dice, discount: thresholdOf(c.Discount), textMoney: thresholdOf(c.TextMoney)},
		junk: thresholdOf(c.Junk),
	}
	return s
}

// made returns the number of events made.
func (s *shop) made() uint64 { return s.writer.made }

// append appends the next event, and describes it in s.writer.fact. REQUIRES: now is later than the last time.
func (s *shop) append(dst []byte, now int64) []byte {
	s.writer.begin(now)
	if a, ok := s.server.planned.take(s.made()); ok {
		dst = s.server.announce(dst, &a)
	} else {
		v := &s.visits[s.dice.below(uint32(len(s.visits)))]
		if v.step == v.length {
			s.planner.begin(v)
		}
		dst = s.site.advance(dst, v)
		v.step++
	}
	s.writer.made++
	return dst
}

// deeds are what people have done, by person, modulo the length: the state bits below.
type deeds []uint16

// Devices where they logged in are bits 0 to 3.
const (
	stateSignedUp = 1 << 4
	stateGrouped  = 1 << 5
	stateVisit    = 1 << 8 // visits are counted in the top byte, up to 255
)

// of returns the bits of a person. The site sets them, and the planner counts visits in them.
func (d deeds) of(p uint64) *uint16 { return &d[p%uint64(len(d))] }
