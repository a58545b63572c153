package generate

// Everything lasting about a person is a hash of the seed and the person's number, salted by what it is about.
const (
	saltRole salt = 1 + iota
	saltFirstName
	saltLastName
	saltMailHost
	saltHousehold
	saltTablet
	saltGeneric
	saltLoyalty
	saltAlias
	saltDevices
	saltPlatform
	saltBrowser
	saltLate
	saltAnalytics
	saltUUIDHigh
	saltUUIDLow
	saltMessageHigh
	saltMessageLow
	saltAddress
	saltPhone
	saltCompany
	saltGroup
)

// A role is how much of their identity people reveal.
type role uint8

const (
	roleVisitor  role = iota // never identifies themselves
	roleGuest                // gives an address at the checkout
	roleCustomer             // has an account
)

// Devices of a person: own ones from 0, and one that is shared with the other of the pair.
const (
	devicesOwn = 3
	deviceTwo  = 1 // the app device; of a household, both use one
	deviceAll  = 3 // the shared tablet
	devicesMax = 4
)

// The other of two people who may share something.
func partner(p uint64) uint64 { return p ^ 1 }

func pair(p uint64) uint64 { return p >> 1 }

func firstNameOf(seed, p uint64) int {
	return int(scale(hash(seed, p, saltFirstName), uint32(len(firstNames))))
}

func lastNameOf(seed, p uint64) int {
	return int(scale(hash(seed, p, saltLastName), uint32(len(lastNames))))
}

// A folk derives the lasting properties of people.
type folk struct {
	seed                       uint64
	people                     uint64
	visitors, guests           threshold // cumulative shares of roles
	household, tablet, generic threshold
	loyalty, alias, late       threshold
	perCentre                  uint64 // people to a call centre, of which genericUsers use it
}

// newFolk turns shares into thresholds once. A call centre has so many people that those of them who use its address
// are about genericUsers.
func newFolk(c *Config) folk {
	f := folk{
		seed: c.Seed, people: uint64(c.People),
		visitors: thresholdOf(0.15), guests: thresholdOf(0.30),
		household: thresholdOf(c.Household), tablet: thresholdOf(c.SharedTablet), generic: thresholdOf(c.Generic),
		loyalty: thresholdOf(c.Loyalty), alias: thresholdOf(c.Alias), late: thresholdOf(c.LateLogin),
		perCentre: 1,
	}
	if f.generic > 0 {
		f.perCentre = max(1, uint64(genericUsers/c.Generic))
	}
	return f
}

// is reports whether a property with the threshold t holds for number n. The same number with another salt decides
// another property, independently; asked again it answers the same, so nothing of a person is stored.
func (f *folk) is(t threshold, n uint64, s salt) bool { return t.holds(hash(f.seed, n, s)) }

// role returns customer for everyone who shares something, so that both people log in there.
func (f *folk) role(p uint64) role {
	if f.sharesTablet(p) || f.sharesDevice(p) || f.isGeneric(p) {
		return roleCustomer
	}
	switch h := hash(f.seed, p, saltRole); {
	case f.visitors.holds(h):
		return roleVisitor
	case f.guests.holds(h):
		return roleGuest
	}
	return roleCustomer
}

// sharesTablet reports whether a person and their partner use one tablet. The pair decides, so that both say the same;
// the last of an odd number of people has no partner.
func (f *folk) sharesTablet(p uint64) bool {
	return partner(p) < f.people && f.is(f.tablet, pair(p), saltTablet)
}

// sharesDevice reports whether a person and their partner use one phone with the app, as a household.
func (f *folk) sharesDevice(p uint64) bool {
	return partner(p) < f.people && f.is(f.household, pair(p), saltHousehold)
}

func (f *folk) isGeneric(p uint64) bool { return f.is(f.generic, p, saltGeneric) }

// devices returns the number of devices that a person owns.
func (f *folk) devices(p uint64) uint32 {
	return 1 + scale(hash(f.seed, p, saltDevices), devicesOwn)
}

// isApp reports whether a device runs the shop's app; on others the shop is a web site.
func (f *folk) isApp(p uint64, device uint8) bool {
	return device == deviceTwo && (f.sharesDevice(p) || hash(f.seed, p, saltPlatform)&1 == 0)
}

// cookieNumber numbers a device as a browser: the tablet belongs to the pair.
func (f *folk) cookieNumber(p uint64, device uint8) uint64 {
	if device == deviceAll {
		p &^= 1
	}
	return p*devicesMax + uint64(device)
}

func (f *folk) cookie(p uint64, device uint8) ident {
	return identOf(idAnonymous, f.cookieNumber(p, device))
}

// deviceID is the identifier of an app's device; a household's belongs to the pair.
func (f *folk) deviceID(p uint64, device uint8) ident {
	if f.sharesDevice(p) {
		return identOf(idDevice, p&^1*devicesMax+deviceAll)
	}
	return identOf(idDevice, p*devicesMax+uint64(device))
}

// analytics returns the client id of a tenth of all browsers; zero for the others.
func (f *folk) analytics(p uint64, device uint8) ident {
	n := f.cookieNumber(p, device)
	if hash(f.seed, n, saltBrowser)>>32%10 != 0 {
		return 0
	}
	return identOf(idAnalytics, n)
}

// loyaltyCard is zero for people without one.
func (f *folk) loyaltyCard(p uint64) ident {
	if !f.is(f.loyalty, p, saltLoyalty) {
		return 0
	}
	return identOf(idLoyalty, p)
}

// logsInLate reports whether a device is used for a while before the person logs in there.
func (f *folk) logsInLate(p uint64, device uint8) bool {
	return f.is(f.late, p*devicesMax+uint64(device), saltLate)
}

// The address of the person's call centre.
func (f *folk) genericEmail(p uint64) ident { return identOf(idGenericEmail, p/f.perCentre) }
func (f *folk) genericPhone(p uint64) ident { return identOf(idGenericPhone, p/f.perCentre) }
