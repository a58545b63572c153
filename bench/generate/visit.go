package generate

// A visit is a person on a device, from the first page to the last.
type visit struct {
	person       uint32
	device       uint8
	role         role
	app          bool
	loggedIn     bool
	buys         bool
	step, length uint8
	loginAt      uint8 // the step that logs in; never, when above length
	order        order // the basket so far; the rest from the checkout on
}

// never is a loginAt that no step reaches, as visits are far shorter. never+1 overflows a uint8 to 0; begin uses that.
const never = 255

// Some visits of those who can pay end with a purchase, which takes checkoutSteps events.
const checkoutSteps = 4

// A planner starts visits. It alone decides who comes, and when a visit logs in and buys.
type planner struct {
	*folk
	dice  dice
	deeds deeds
	next  func() uint64 // draws the person of the next visit

	browseOnly   threshold // of first visits by those who log in late: they don't this time
	freshDevices bool      // people come back on a device where they never logged in, if they have one
}

// begin starts the visit of the next person.
func (pl *planner) begin(v *visit) {
	p := pl.next()
	state := pl.deeds.of(p)
	earlier := *state / stateVisit
	if earlier < 255 {
		*state += stateVisit
	}
	*v = visit{person: uint32(p), role: pl.role(p), device: pl.pickDevice(p, *state, earlier), loginAt: never}
	v.app = pl.isApp(p, v.device)
	v.length = uint8(pl.dice.between(2, 6))
	if v.role == roleCustomer {
		pl.planLogin(v, *state, earlier)
	}
	if v.role == roleGuest || v.loggedIn || v.loginAt != never {
		v.buys = pl.dice.below(100) < 30
	}
	if v.loginAt != never {
		v.length = max(v.length, v.loginAt+2)
	}
	if v.buys {
		v.length = max(v.length, (v.loginAt+1)+checkoutSteps) // never + 1 is 0
	}
}

// pickDevice prefers a shared device, so that it is used even by people who come once.
func (pl *planner) pickDevice(p uint64, state, earlier uint16) uint8 {
	own := uint8(pl.dice.below(pl.devices(p)))
	switch {
	case pl.sharesTablet(p) && (earlier == 0 || pl.dice.below(3) == 0):
		return deviceAll
	case pl.sharesDevice(p) && (earlier < 2 || own == deviceTwo):
		return deviceTwo
	case earlier == 0:
		return 0
	case pl.freshDevices:
		for d := range uint8(pl.devices(p)) {
			if state>>d&1 == 0 {
				return d
			}
		}
	}
	return own
}

// planLogin decides when a customer logs in. A device remembers its customer, but the shared tablet doesn't.
func (pl *planner) planLogin(v *visit, state, earlier uint16) {
	p := uint64(v.person)
	switch {
	case v.device != deviceAll && state>>v.device&1 == 1:
		v.loggedIn = true
		if pl.dice.below(12) == 0 { // a change of the profile
			v.loginAt = uint8(pl.dice.below(2))
		}
	case !pl.logsInLate(p, v.device):
		v.loginAt = 0
	case earlier > 2 || !pl.dice.chance(pl.browseOnly):
		v.loginAt = uint8(pl.dice.between(2, 4))
	}
}
