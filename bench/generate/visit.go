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

const never = 255

// Some visits of those who can pay end with a purchase, which takes checkoutSteps events.
const checkoutSteps = 4

// begin starts the visit of the next person.
func (s *shop) begin(v *visit) {
	p := s.nextPerson()
	state := s.state(p)
	earlier := *state / stateVisit
	if earlier < 255 {
		*state += stateVisit
	}
	*v = visit{person: uint32(p), role: s.role(p), device: s.pickDevice(p, *state, earlier), loginAt: never}
	v.app = s.isApp(p, v.device)
	v.length = uint8(s.dice.between(2, 6))
	if v.role == roleCustomer {
		s.planLogin(v, *state, earlier)
	}
	if v.role == roleGuest || v.loggedIn || v.loginAt != never {
		v.buys = s.dice.below(100) < 30
	}
	if v.loginAt != never {
		v.length = max(v.length, v.loginAt+2)
	}
	if v.buys {
		v.length = max(v.length, (v.loginAt+1)+checkoutSteps) // never + 1 is 0
	}
}

// pickDevice prefers a shared device, so that it is used even by people who come once.
func (s *shop) pickDevice(p uint64, state, earlier uint16) uint8 {
	own := uint8(s.dice.below(s.devices(p)))
	switch {
	case s.sharesTablet(p) && (earlier == 0 || s.dice.below(3) == 0):
		return deviceAll
	case s.sharesDevice(p) && (earlier < 2 || own == deviceTwo):
		return deviceTwo
	case earlier == 0:
		return 0
	case s.freshDevices:
		for d := range uint8(s.devices(p)) {
			if state>>d&1 == 0 {
				return d
			}
		}
	}
	return own
}

// planLogin decides when a customer logs in. A device remembers its customer, but the shared tablet doesn't.
func (s *shop) planLogin(v *visit, state, earlier uint16) {
	p := uint64(v.person)
	switch {
	case v.device != deviceAll && state>>v.device&1 == 1:
		v.loggedIn = true
		if s.dice.below(12) == 0 { // a change of the profile
			v.loginAt = uint8(s.dice.below(2))
		}
	case !s.logsInLate(p, v.device):
		v.loginAt = 0
	case earlier > 2 || !s.dice.chance(s.browseOnly):
		v.loginAt = uint8(s.dice.between(2, 4))
	}
}

// advance appends the event of the visit's next step.
func (s *shop) advance(dst []byte, v *visit) []byte {
	if v.step == v.loginAt {
		return s.logIn(dst, v)
	}
	if v.buys {
		switch v.length - v.step {
		case 4:
			if v.order.lines == 0 {
				return s.addProduct(dst, v)
			}
		case 3:
			v.order = s.orderOf(v.order.basket)
			return s.checkout(dst, v)
		case 2:
			return s.payment(dst, v)
		case 1:
			s.announceOrder(v)
			return s.complete(dst, v)
		}
	}
	return s.browse(dst, v)
}

func (s *shop) logIn(dst []byte, v *visit) []byte {
	p := uint64(v.person)
	x := s.senderOf(v)
	x.user = identOf(idUser, p)
	x.loyalty = s.loyaltyCard(p)
	v.loggedIn = true
	state := s.state(p)
	first := *state&stateSignedUp == 0
	*state |= 1<<v.device | stateSignedUp
	if first && s.is(s.alias, p, saltAlias) {
		s.announceAlias(p)
	}
	s.spoil(&x)
	dst = s.open(dst, kindIdentify, "", &x)
	dst = s.appendTraits(dst, p, first)
	return s.close(dst, &x)
}

// browse appends an event of a person who looks around.
func (s *shop) browse(dst []byte, v *visit) []byte {
	p := uint64(v.person)
	x := s.senderOf(v)
	if state := s.state(p); x.user != 0 && *state&stateGrouped == 0 && hash(s.seed, p, saltGroup)%50 == 0 {
		*state |= stateGrouped
		dst = s.open(dst, kindGroup, "", &x)
		dst = append(append(dst, ','), groups[hash(s.seed, p, saltGroup)/50%uint64(len(groups))]...)
		return s.close(dst, &x)
	}
	s.spoil(&x)
	product := uint16(s.dice.below(products))
	switch n := s.dice.below(100); {
	case n < 50:
		return s.look(dst, v, &x)
	case n < 76:
		x.path = catalogue()[product].path
		dst = s.open(dst, kindTrack, "Product Viewed", &x)
		dst = appendProduct(append(dst, `,"properties":{`...), product, 1)
		return s.close(append(dst, '}'), &x)
	case n < 80:
		dst = s.open(dst, kindTrack, "Product List Viewed", &x)
		dst = append(dst, `,"properties":{"list_id":"new_arrivals","category":"Kitchen","products":[{`...)
		dst = appendProduct(dst, product, 1)
		return s.close(append(dst, `}]}`...), &x)
	case n < 84:
		dst = s.open(dst, kindTrack, "Products Searched", &x)
		dst = append(append(dst, `,"properties":{"query":"`...), queries[s.dice.below(uint32(len(queries)))]...)
		return s.close(append(dst, `"}`...), &x)
	case n < 86:
		name := "Promotion Viewed"
		if n == 85 {
			name = "Promotion Clicked"
		}
		dst = s.open(dst, kindTrack, name, &x)
		dst = append(append(dst, `,"properties":{`...), promotions[s.dice.below(uint32(len(promotions)))]...)
		return s.close(append(dst, '}'), &x)
	case n < 88 && s.discount > 0:
		name := "Coupon Applied"
		if n == 87 {
			name = "Coupon Denied"
		}
		dst = s.open(dst, kindTrack, name, &x)
		dst = append(append(dst, `,"properties":{"coupon_id":"`...), coupons[s.dice.below(uint32(len(coupons)))]...)
		return s.close(append(dst, `","coupon_name":"Autumn at home"}`...), &x)
	case n < 90 && v.order.lines > 0:
		v.order.lines--
		dst = s.open(dst, kindTrack, "Product Removed", &x)
		dst = append(dst, `,"properties":{`...)
		dst = appendProduct(dst, v.order.products[v.order.lines], v.order.quantities[v.order.lines])
		return s.close(append(dst, '}'), &x)
	}
	return s.addProductAs(dst, v, &x, product)
}

// look appends a page or, in an app, a screen.
func (s *shop) look(dst []byte, v *visit, x *sender) []byte {
	if v.app {
		screen := screens[s.dice.below(uint32(len(screens)))]
		dst = s.open(dst, kindScreen, screen, x)
		dst = append(append(dst, `,"properties":{"tab":"`...), screen...)
		return s.close(append(dst, `","variant":"b"}`...), x)
	}
	dst = s.open(dst, kindPage, "", x)
	dst = append(append(dst, `,"properties":{"path":"`...), places[x.page].path...)
	dst = append(append(dst, `","title":"`...), places[x.page].title...)
	return s.close(append(dst, `"}`...), x)
}

func (s *shop) addProduct(dst []byte, v *visit) []byte {
	x := s.senderOf(v)
	s.spoil(&x)
	return s.addProductAs(dst, v, &x, uint16(s.dice.below(products)))
}

func (s *shop) addProductAs(dst []byte, v *visit, x *sender, product uint16) []byte {
	quantity := uint8(1)
	if s.dice.below(4) == 0 {
		quantity = uint8(s.dice.between(2, 4))
	}
	v.order.add(product, quantity)
	x.path = catalogue()[product].path
	dst = s.open(dst, kindTrack, "Product Added", x)
	dst = append(dst, `,"properties":{"cart_id":"cart_`...)
	dst = appendDigits(dst, hash(s.seed, uint64(v.person), saltMessageLow)%billion, 9)
	dst = appendProduct(append(dst, `",`...), product, quantity)
	return s.close(append(dst, '}'), x)
}

// payer returns the sender of the last steps, which identify the person who pays.
func (s *shop) payer(v *visit) sender {
	p := uint64(v.person)
	x := s.senderOf(v)
	x.path = "/checkout"
	if v.loggedIn {
		x.user, x.loyalty = identOf(idUser, p), s.loyaltyCard(p)
	} else {
		x.email = identOf(idEmail, p*2)
		if hash(s.seed, p, saltPhone)%4 == 0 {
			x.phone = identOf(idPhone, p)
		}
	}
	s.spoil(&x)
	return x
}

// checkout appends the event that has no effect yet, though it has an order's number and its money.
func (s *shop) checkout(dst []byte, v *visit) []byte {
	x := s.payer(v)
	dst = s.open(dst, kindTrack, "Checkout Started", &x)
	dst = appendOrderID(append(dst, `,"properties":{`...), v.order.number)
	return s.close(append(v.order.appendTotals(dst), '}'), &x)
}

func (s *shop) complete(dst []byte, v *visit) []byte {
	x := s.payer(v)
	s.fact.order = v.order.fact(orderCompleted)
	return s.appendOrder(dst, "Order Completed", &v.order, &x)
}

func (s *shop) payment(dst []byte, v *visit) []byte {
	x := s.payer(v)
	dst = s.open(dst, kindTrack, "Payment Info Entered", &x)
	dst = appendOrderID(append(dst, `,"properties":{`...), v.order.number)
	return s.close(append(dst, `,"step":3,"payment_method":"Card"}`...), &x)
}

// appendOrder appends an event with the totals and products of an order.
func (s *shop) appendOrder(dst []byte, event string, o *order, x *sender) []byte {
	dst = s.open(dst, kindTrack, event, x)
	dst = appendOrderID(append(dst, `,"properties":{`...), o.number)
	dst = o.appendProducts(o.appendTotals(dst))
	return s.close(append(dst, '}'), x)
}
