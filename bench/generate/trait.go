package generate

// Traits, by name.
const (
	traitAddress uint8 = iota
	traitCompany
	traitCreatedAt
	traitEmail
	traitFirstName
	traitLastName
	traitNewsletter
	traitPhone
	traitsEnd
)

var traitNames = [traitsEnd]string{"address", "company", "createdAt", "email", "firstName", "lastName", "newsletter", "phone"}

// beginTrait appends a trait's name; endTrait records the position of its value.
func (s *shop) beginTrait(dst []byte, trait uint8) []byte {
	if s.fact.sets > 0 {
		dst = append(dst, ',')
	}
	dst = append(append(append(dst, '"'), traitNames[trait]...), '"', ':')
	s.fact.traits[s.fact.sets] = traitFact{trait: trait, from: len(dst)}
	return dst
}

func (s *shop) endTrait(dst []byte) []byte {
	s.fact.traits[s.fact.sets].to = len(dst)
	s.fact.sets++
	return dst
}

func (s *shop) setTrait(dst []byte, trait uint8, value string) []byte {
	return s.endTrait(append(s.beginTrait(dst, trait), value...))
}

func (s *shop) setContact(dst []byte, trait uint8, id ident) []byte {
	dst = append(s.beginTrait(dst, trait), '"')
	return s.endTrait(s.identify(dst, id, false, s.contactForm()))
}

// appendTraits appends the traits of an identify: the name and all others at sign-up, later a few of them, sometimes
// changed.
func (s *shop) appendTraits(dst []byte, p uint64, first bool) []byte {
	email, phone := identOf(idEmail, p*2), identOf(idPhone, p)
	if s.dice.below(10) == 0 {
		email++ // the other address
	}
	hasPhone := hash(s.seed, p, saltPhone)%3 == 0
	if s.isGeneric(p) {
		if p&1 == 0 {
			email = s.genericEmail(p)
		} else {
			phone, hasPhone = s.genericPhone(p), true
		}
	}
	dst = s.setContact(append(dst, `,"traits":{`...), traitEmail, email)
	if hasPhone {
		dst = s.setContact(dst, traitPhone, phone)
	}
	if first {
		dst = s.setTrait(dst, traitFirstName, firstNames[firstNameOf(s.seed, p)].text)
		dst = s.setTrait(dst, traitLastName, lastNames[lastNameOf(s.seed, p)].text)
		dst = append(s.beginTrait(dst, traitCreatedAt), '"')
		dst = s.endTrait(append(s.clock.append(dst, s.now), '"'))
	}
	switch n := s.dice.below(100); {
	case n < 40:
		dst = s.setTrait(dst, traitAddress, cities[s.dice.below(uint32(len(cities)))])
	case n < 60:
		dst = s.setTrait(dst, traitNewsletter, [...]string{"true", "false"}[s.dice.below(2)])
	case n < 70:
		dst = s.setTrait(dst, traitCompany, companies[hash(s.seed, p, saltCompany)%uint64(len(companies))])
	case n < 76:
		dst = s.setTrait(dst, traitCompany, "null")
	}
	return append(dst, '}')
}
