package graph

import "fmt"

// Class is the standing of a namespace: how closely its identifiers stand for one person.
// It is the first part of a node's rank, so it is fixed when a namespace is first registered.
type Class uint8

// The classes, from the lowest rank to the highest. Zero is no class.
const (
	ClassCookie   Class = 1
	ClassDevice   Class = 2
	ClassContact  Class = 3
	ClassCustomer Class = 4
)

var classNames = [...]string{"", "cookie", "device", "contact", "customer"}

func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return fmt.Sprintf("class(%d)", uint8(c))
}

// ParseClass reads a class by its name.
func ParseClass(name string) (Class, error) {
	for i, n := range classNames {
		if i > 0 && n == name {
			return Class(i), nil
		}
	}
	return 0, fmt.Errorf("class %q: want customer, contact, device or cookie", name)
}

// Normaliser says how the values of a namespace are brought to one form, on the way in and on
// look-up alike.
type Normaliser string

// The normalisers. Every one trims white space first.
const (
	NormaliseTrim  Normaliser = "trim"  // nothing more
	NormaliseLower Normaliser = "lower" // lower case
	NormaliseEmail Normaliser = "email" // NFC, lower case
	NormalisePhone Normaliser = "phone" // E.164 with a default region; digits where it can't be parsed
	NormaliseUUID  Normaliser = "uuid"  // lower-case hex, no braces or urn prefix; anything else is only trimmed
)

// Namespace is a kind of identifier.
type Namespace struct {
	Name       string
	Class      Class
	Normaliser Normaliser
}

// PlainNamespace is the namespace whose values a namespace holds the SHA-256 of, or the namespace itself. A value and its hash
// are one node: it is named by the value from the moment it is known, and counts under the namespace of the value.
func PlainNamespace(name string) string {
	switch name {
	case "email_sha256":
		return "email"
	case "phone_sha256":
		return "phone"
	}
	return name
}

// hasHash reports whether a namespace has another one that holds the SHA-256 of its values.
func hasHash(name string) bool { return name == "email" || name == "phone" }

// DefaultNamespaces are the namespaces that every deployment starts with.
func DefaultNamespaces() []Namespace {
	return []Namespace{
		{"user_id", ClassCustomer, NormaliseTrim},
		{"email", ClassContact, NormaliseEmail},
		{"email_sha256", ClassContact, NormaliseLower},
		{"phone", ClassContact, NormalisePhone},
		{"phone_sha256", ClassContact, NormaliseLower},
		{"device_id", ClassDevice, NormaliseUUID},
		{"idfa", ClassDevice, NormaliseUUID},
		{"gaid", ClassDevice, NormaliseUUID},
		{"push_token", ClassDevice, NormaliseTrim},
		{"anonymous_id", ClassCookie, NormaliseUUID},
		{"ga_client_id", ClassCookie, NormaliseTrim},
	}
}
