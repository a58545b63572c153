package generate

// A site turns the steps of visits into events, as people browse, log in and buy. It passes orders and older customer
// numbers on to the server, which announces them later.
type site struct {
	*folk
	dice   dice
	deeds  deeds
	writer *writer
	server *server
	till   till
	junk   threshold
}

// advance appends the event of the visit's next step.
// The last checkoutSteps steps of a visit that buys are, counted down: a product if the basket is empty, the checkout,
// the payment, the order. The login comes before them, as planner.begin makes the visit long enough for both.
func (s *site) advance(dst []byte, v *visit) []byte {
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
			v.order = s.till.ring(v.order.basket)
			return s.checkout(dst, v)
		case 2:
			return s.payment(dst, v)
		case 1:
			s.server.announceOrder(v)
			return s.complete(dst, v)
		}
	}
	return s.browse(dst, v)
}

// logIn appends the identify call that links the device to its person. The first one signs up, and may tell the server
// of an older customer number.
func (s *site) logIn(dst []byte, v *visit) []byte {
	p := uint64(v.person)
	x := s.senderOf(v)
	x.user = identOf(idUser, p)
	x.loyalty = s.loyaltyCard(p)
	v.loggedIn = true
	state := s.deeds.of(p)
	first := *state&stateSignedUp == 0
	*state |= 1<<v.device | stateSignedUp
	if first && s.is(s.alias, p, saltAlias) {
		s.server.announceAlias(p)
	}
	s.spoil(&x)
	dst = s.writer.open(dst, kindIdentify, "", &x)
	dst = s.appendTraits(dst, p, first)
	return s.writer.close(dst, &x)
}

// browse appends an event of a person who looks around.
func (s *site) browse(dst []byte, v *visit) []byte {
	p := uint64(v.person)
	x := s.senderOf(v)
	if state := s.deeds.of(p); x.user != 0 && *state&stateGrouped == 0 && hash(s.seed, p, saltGroup)%50 == 0 {
		*state |= stateGrouped
		dst = s.writer.open(dst, kindGroup, "", &x)
		dst = append(append(dst, ','), groups[hash(s.seed, p, saltGroup)/50%uint64(len(groups))]...)
		return s.writer.close(dst, &x)
	}
	s.spoil(&x)
	product := uint16(s.dice.below(products))
	// Shares in percent: 50 pages or screens, 26 products viewed, 4 lists, 4 searches, 2 promotions, 2 coupons (if the
	// shop gives discounts), 2 products removed (if there is one); what remains adds a product.
	switch n := s.dice.below(100); {
	case n < 50:
		return s.look(dst, v, &x)
	case n < 76:
		x.page.path = catalogue()[product].path
		dst = s.writer.open(dst, kindTrack, "Product Viewed", &x)
		dst = appendProduct(append(dst, `,"properties":{`...), product, 1)
		return s.writer.close(append(dst, '}'), &x)
	case n < 80:
		dst = s.writer.open(dst, kindTrack, "Product List Viewed", &x)
		dst = append(dst, `,"properties":{"list_id":"new_arrivals","category":"Kitchen","products":[{`...)
		dst = appendProduct(dst, product, 1)
		return s.writer.close(append(dst, `}]}`...), &x)
	case n < 84:
		dst = s.writer.open(dst, kindTrack, "Products Searched", &x)
		dst = append(append(dst, `,"properties":{"query":"`...), queries[s.dice.below(uint32(len(queries)))]...)
		return s.writer.close(append(dst, `"}`...), &x)
	case n < 86:
		name := "Promotion Viewed"
		if n == 85 {
			name = "Promotion Clicked"
		}
		dst = s.writer.open(dst, kindTrack, name, &x)
		dst = append(append(dst, `,"properties":{`...), promotions[s.dice.below(uint32(len(promotions)))]...)
		return s.writer.close(append(dst, '}'), &x)
	case n < 88 && s.till.discount > 0:
		name := "Coupon Applied"
		if n == 87 {
			name = "Coupon Denied"
		}
		dst = s.writer.open(dst, kindTrack, name, &x)
		dst = append(append(dst, `,"properties":{"coupon_id":"`...), coupons[s.dice.below(uint32(len(coupons)))]...)
		return s.writer.close(append(dst, `","coupon_name":"Autumn at home"}`...), &x)
	case n < 90 && v.order.lines > 0:
		v.order.lines--
		dst = s.writer.open(dst, kindTrack, "Product Removed", &x)
		dst = append(dst, `,"properties":{`...)
		dst = appendProduct(dst, v.order.products[v.order.lines], v.order.quantities[v.order.lines])
		return s.writer.close(append(dst, '}'), &x)
	}
	return s.addProductAs(dst, v, &x, product)
}

// look appends a page or, in an app, a screen.
func (s *site) look(dst []byte, v *visit, x *sender) []byte {
	if v.app {
		screen := screens[s.dice.below(uint32(len(screens)))]
		dst = s.writer.open(dst, kindScreen, screen, x)
		dst = append(append(dst, `,"properties":{"tab":"`...), screen...)
		return s.writer.close(append(dst, `","variant":"b"}`...), x)
	}
	dst = s.writer.open(dst, kindPage, "", x)
	dst = append(append(dst, `,"properties":{"path":"`...), places[x.page.place].path...)
	dst = append(append(dst, `","title":"`...), places[x.page.place].title...)
	return s.writer.close(append(dst, `"}`...), x)
}

func (s *site) addProduct(dst []byte, v *visit) []byte {
	x := s.senderOf(v)
	s.spoil(&x)
	return s.addProductAs(dst, v, &x, uint16(s.dice.below(products)))
}

// addProductAs puts a product into the basket and appends its event: one piece in three of four cases, else several.
func (s *site) addProductAs(dst []byte, v *visit, x *sender, product uint16) []byte {
	quantity := uint8(1)
	if s.dice.below(4) == 0 {
		quantity = uint8(s.dice.between(2, 4))
	}
	v.order.add(product, quantity)
	x.page.path = catalogue()[product].path
	dst = s.writer.open(dst, kindTrack, "Product Added", x)
	dst = append(dst, `,"properties":{"cart_id":"cart_`...)
	dst = appendDigits(dst, hash(s.seed, uint64(v.person), saltMessageLow)%billion, 9)
	dst = appendProduct(append(dst, `",`...), product, quantity)
	return s.writer.close(append(dst, '}'), x)
}

// payer returns the sender of the last steps, which identify the person who pays.
func (s *site) payer(v *visit) sender {
	p := uint64(v.person)
	x := s.senderOf(v)
	x.page.path = "/checkout"
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
func (s *site) checkout(dst []byte, v *visit) []byte {
	x := s.payer(v)
	dst = s.writer.open(dst, kindTrack, "Checkout Started", &x)
	dst = appendOrderID(append(dst, `,"properties":{`...), v.order.number)
	return s.writer.close(append(v.order.appendTotals(dst), '}'), &x)
}

// complete appends the purchase itself, the one event of a visit that the truth counts as an order.
func (s *site) complete(dst []byte, v *visit) []byte {
	x := s.payer(v)
	s.writer.fact.order = v.order.fact(orderCompleted)
	return s.writer.appendOrder(dst, "Order Completed", &v.order, &x)
}

// payment appends the step between checkout and purchase. It has an order's number but no money.
func (s *site) payment(dst []byte, v *visit) []byte {
	x := s.payer(v)
	dst = s.writer.open(dst, kindTrack, "Payment Info Entered", &x)
	dst = appendOrderID(append(dst, `,"properties":{`...), v.order.number)
	return s.writer.close(append(dst, `,"step":3,"payment_method":"Card"}`...), &x)
}
