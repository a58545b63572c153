package segment

import (
	"bytes"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// isForm reports whether a track event of this name says that somebody filled in a form about themselves: case, and
// whether words are joined by a space, an underscore, a hyphen or nothing, do not matter.
func isForm(name []byte) bool {
	const longest = len("registrationcompleted")
	var folded [longest]byte
	n := 0
	for _, c := range bytes.TrimSpace(name) {
		switch {
		case c == ' ' || c == '_' || c == '-':
			continue
		case n == longest:
			return false
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		}
		folded[n] = c
		n++
	}
	switch string(folded[:n]) {
	case "formsubmitted", "formsubmission", "formsubmit", "formcompleted", "submittedform", "contactformsubmitted",
		"lead", "leadgenerated", "leadsubmitted", "generatelead", "submitlead",
		"signedup", "signup", "usersignedup", "accountcreated", "registrationcompleted", "completeregistration",
		"newslettersubscribed", "newslettersignup", "newslettersignedup":
		return true
	}
	return false
}

// form adds the address in the properties of a form event to the event's identifiers. Like mention it comes after the
// fingerprint, which covers the properties anyway: so an event that was taken before its name was a form's is still known,
// unless the address becomes its route (docs/decisions/0048-the-address-in-a-form.md).
//
// REQUIRES: the event has its fingerprint; address is that of formAddress
func (r *identifierReader) form(ev *graph.Event) {
	if !absent(r.address) {
		r.add(ev, "properties.email", r.namespaces.email, r.address)
	}
}

// formAddress returns the address in the properties of a form event; nothing for any other event, and for one that has
// an address elsewhere. In events of other names, an address may be anybody's: that of a friend who is invited, for
// example.
func (r *identifierReader) formAddress(ev *graph.Event) (v jsonscan.Value) {
	f := &r.fields
	if ev.Type != graph.TypeTrack || f.properties.Kind != jsonscan.Object || !absent(r.own.email) || !absent(r.shared.email) || !isForm(r.text(f.event)) {
		return v
	}
	if !r.properties.listed { // a path leads into them, or the type came twice
		r.side.Reset(f.properties.Raw, &r.arena)
		r.listProperties(&r.side)
	}
	for i := range r.properties.list {
		if p := &r.properties.list[i]; p.means == propertyEmail {
			v = p.value
		}
	}
	return v
}
