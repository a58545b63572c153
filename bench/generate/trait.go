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
func (w *writer) beginTrait(dst []byte, trait uint8) []byte {
	if w.fact.sets > 0 {
		dst = append(dst, ',')
	}
	dst = append(append(append(dst, '"'), traitNames[trait]...), '"', ':')
	w.fact.traits[w.fact.sets] = traitFact{trait: trait, from: len(dst)}
	return dst
}

func (w *writer) endTrait(dst []byte) []byte {
	w.fact.traits[w.fact.sets].to = len(dst)
	w.fact.sets++
	return dst
}

func (w *writer) setTrait(dst []byte, trait uint8, value string) []byte {
	return w.endTrait(append(w.beginTrait(dst, trait), value...))
}

// setContact appends a trait that is an identifier, too: an e-mail address or a phone number, in any of its forms.
func (w *writer) setContact(dst []byte, trait uint8, id ident) []byte {
	dst = append(w.beginTrait(dst, trait), '"')
	return w.endTrait(w.identify(dst, id, false, w.contactForm()))
}

// appendTraits appends the traits of an identify: the name and all others at sign-up, later a few of them, sometimes
// changed.
func (s *site) appendTraits(dst []byte, p uint64, first bool) []byte {
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
	dst = s.writer.setContact(append(dst, `,"traits":{`...), traitEmail, email)
	if hasPhone {
		dst = s.writer.setContact(dst, traitPhone, phone)
	}
	if first {
		dst = s.writer.setTrait(dst, traitFirstName, firstNames[firstNameOf(s.seed, p)].text)
		dst = s.writer.setTrait(dst, traitLastName, lastNames[lastNameOf(s.seed, p)].text)
		dst = append(s.writer.beginTrait(dst, traitCreatedAt), '"')
		dst = s.writer.endTrait(append(s.writer.appendTime(dst), '"'))
	}
	switch n := s.dice.below(100); {
	case n < 40:
		dst = s.writer.setTrait(dst, traitAddress, cities[s.dice.below(uint32(len(cities)))])
	case n < 60:
		dst = s.writer.setTrait(dst, traitNewsletter, [...]string{"true", "false"}[s.dice.below(2)])
	case n < 70:
		dst = s.writer.setTrait(dst, traitCompany, companies[hash(s.seed, p, saltCompany)%uint64(len(companies))])
	case n < 76:
		dst = s.writer.setTrait(dst, traitCompany, "null")
	}
	return append(dst, '}')
}
