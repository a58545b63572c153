package generate

// A shop makes the events, one after another, each later than the previous. Deliveries are the Generator's concern.
type shop struct {
	folk
	dice dice

	junk, rawForms                          threshold
	discount, textMoney                     threshold
	copies, updates, cancellations, refunds threshold
	browseOnly                              threshold // of first visits by those who log in late: they don't this time
	freshDevices                            bool      // people come back on a device where they never logged in, if they have one
	afterwards                              uint32    // how many events after a purchase the server still speaks of it, at most

	nextPerson    func() uint64
	states        []uint16 // by person, modulo the length; see the state bits
	visits        []visit
	announcements schedule[announcement]
	made, orders  uint64

	clock clock
	now   int64
	fact  fact
}

// The state bits of a person. Devices where they logged in are bits 0 to 3.
const (
	stateSignedUp = 1 << 4
	stateGrouped  = 1 << 5
	stateVisit    = 1 << 8 // visits are counted in the top byte, up to 255
)

// newShop sets what the configuration decides. The caller adds who comes next, the visits and the clock.
func newShop(c *Config) *shop {
	return &shop{
		folk: newFolk(c), dice: newDice(c.Seed),
		junk: thresholdOf(c.Junk), rawForms: thresholdOf(c.RawForms),
		discount: thresholdOf(c.Discount), textMoney: thresholdOf(c.TextMoney),
		copies: thresholdOf(c.Copy), updates: thresholdOf(c.Update),
		cancellations: thresholdOf(c.Cancel), refunds: thresholdOf(c.Refund),
		browseOnly: thresholdOf(1. / 3), afterwards: uint32(min(max(c.Events/10, 1000), 100_000)),
	}
}

func (s *shop) state(p uint64) *uint16 { return &s.states[p%uint64(len(s.states))] }

// append appends the next event, and describes it in s.fact. REQUIRES: now is later than the last time.
func (s *shop) append(dst []byte, now int64) []byte {
	s.now, s.fact = now, fact{time: now}
	if a, ok := s.announcements.take(s.made); ok {
		dst = s.announce(dst, &a)
	} else {
		v := &s.visits[s.dice.below(uint32(len(s.visits)))]
		if v.step == v.length {
			s.begin(v)
		}
		dst = s.advance(dst, v)
		v.step++
	}
	s.made++
	return dst
}

// A fact is the content of one event, in terms of the truth.
type fact struct {
	time   int64
	person uint64
	kind   eventKind
	ids    [8]ident // distinct
	idents int
	traits [8]traitFact
	sets   int // traits set
	order  orderFact
}

// A traitFact points at the value of a trait in the event's line.
type traitFact struct {
	trait    uint8
	from, to int
}

type eventKind uint8

const (
	kindIdentify eventKind = iota
	kindTrack
	kindPage
	kindScreen
	kindGroup
	kindAlias
	eventKinds
)

var eventTypes = [eventKinds]string{"identify", "track", "page", "screen", "group", "alias"}

func (f *fact) carry(id ident) {
	for _, known := range f.ids[:f.idents] {
		if known == id {
			return
		}
	}
	f.ids[f.idents] = id
	f.idents++
}

// setsTrait reports whether the event sets a trait.
func (f *fact) setsTrait(trait uint8) bool {
	for _, set := range f.traits[:f.sets] {
		if set.trait == trait {
			return true
		}
	}
	return false
}
