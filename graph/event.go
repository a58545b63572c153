package graph

import "github.com/kindred-id/kindred/graph/score"

// EventType is a type of the Segment spec.
type EventType uint8

// The event types. Zero is no type.
const (
	TypeIdentify EventType = 1 + iota
	TypeTrack
	TypePage
	TypeScreen
	TypeGroup
	TypeAlias
	typeEnd
)

// EventTypes is the number of event types, and one: a table by type has this length.
const EventTypes = int(typeEnd)

var eventTypeNames = [EventTypes]string{"", "identify", "track", "page", "screen", "group", "alias"}

func (t EventType) String() string {
	if int(t) < len(eventTypeNames) {
		return eventTypeNames[t]
	}
	return ""
}

// ParseEventType reads a type by its name; 0 when there is no such type.
func ParseEventType(name []byte) EventType {
	for t := TypeIdentify; t < typeEnd; t++ {
		if string(name) == eventTypeNames[t] {
			return t
		}
	}
	return 0
}

// Verb is the strength of the evidence for a link.
type Verb uint8

// The verbs, from the weakest to the strongest.
const (
	VerbObserve  Verb = 1 // seen in one event
	VerbIdentify Verb = 2 // said by an identify call
	VerbAlias    Verb = 3 // said by an alias call
	VerbForce    Verb = 4 // asserted by an operator
)

var verbNames = [...]string{"", "observe", "identify", "alias", "force"}

func (v Verb) String() string {
	if int(v) < len(verbNames) {
		return verbNames[v]
	}
	return ""
}

// AliasRole is what an identifier is in an alias event, as bits.
type AliasRole uint8

// The roles.
const (
	AliasCarried  AliasRole = 1 << iota // carried as in any event
	AliasPrevious                       // a reading of previousId: what it names if it is of this namespace
	AliasLikely                         // a reading, and the one that the form of previousId speaks for

	aliasRoleEnd
)

// AliasRoles is the number of combinations of roles.
const AliasRoles = int(aliasRoleEnd)

// verb is the strength of the link that the event makes between its route and one of its other identifiers.
// An alias says only of previousId that it is the route's: all else was seen with it.
func (e *Event) verb(i int) Verb {
	switch {
	case e.Type == TypeIdentify:
		return VerbIdentify
	case e.aliasRole(i)&AliasPrevious != 0:
		return VerbAlias
	}
	return VerbObserve
}

// aliasRole is the role of an identifier.
func (e *Event) aliasRole(i int) AliasRole {
	if e.Type != TypeAlias || i >= len(e.Alias) {
		return AliasCarried
	}
	return e.Alias[i]
}

// Stamp orders everything that two events say of one thing: by event time, then by the rank of
// the source, then by the event's id. It does not depend on arrival.
type Stamp struct {
	Time int64  // event time, ms since 1970 UTC
	Rank uint8  // of the source, higher wins
	Tie  uint64 // hash of the event's id and content
}

// Compare orders stamps; negative when s is older than other.
func (s Stamp) Compare(other Stamp) int {
	switch {
	case s.Time != other.Time:
		return sign(s.Time < other.Time)
	case s.Rank != other.Rank:
		return sign(s.Rank < other.Rank)
	case s.Tie != other.Tie:
		return sign(s.Tie < other.Tie)
	}
	return 0
}

func sign(less bool) int {
	if less {
		return -1
	}
	return 1
}

// Identifier is a namespace and a normalised value, as it stands in an event.
type Identifier struct {
	Key       NodeKey
	Namespace string // interned: the registry's own string
	Value     []byte // normalised
	Raw       []byte // as it was sent; nil when equal to Value
}

// Trait is one trait that an event sets. Value is JSON text; nil deletes the trait (JSON null).
type Trait struct {
	Name  []byte
	Value []byte
}

// OfferNotice is what one event says of one offer.
type OfferNotice struct {
	Signal score.OfferSignal // OfferNone: the event is about no offer
	ID     []byte            // of the offer, promotion or coupon; not empty
	Class  []byte            // what kind of offer it is; may be empty
	Until  int64             // the deadline, ms since 1970 UTC; 0 when the event gives none
}

// InterestKind says how an event deals with products.
type InterestKind uint8

// The kinds of interest.
const (
	InterestNone   InterestKind = iota
	InterestViewed              // a product or a list of products was looked at
	InterestAdded               // put into the cart
	InterestBought              // ordered
)

// InterestCategoriesMax bounds the categories of one event.
const InterestCategoriesMax = 16

// Interest is what categories of products one event deals with.
type Interest struct {
	Kind       InterestKind
	Categories [][]byte // distinct, at most InterestCategoriesMax; may be empty: the event is still of its kind
}

// Event is one event, read and normalised: the only thing that flows into the graph.
//
// Byte slices may point into a buffer of the reader; an event is valid until its commit is
// answered, and the graph copies what it keeps.
type Event struct {
	ID     []byte // message id, at most 100 bytes
	Source []byte // which system sent it
	// Seen is what the memory of duplicates holds: a keyed hash of the message id and of the event's content.
	Seen uint64
	// Former is what the memory of duplicates of a directory from before fingerprints holds of the event, as long as
	// there may be any; else 0. It is not stored.
	Former uint64
	// Apart says that the event's source numbers its messages apart from others: an id is one of that source.
	Apart    bool
	Stamp    Stamp
	Received int64 // ms since 1970 UTC
	Type     EventType
	Name     []byte // of a track, page or screen event
	// Identifiers are distinct and in descending rank: the first is the route. At least one. Of an alias with
	// Alias, the first is what userId names, whatever its rank, and the rest is in descending rank.
	Identifiers []Identifier
	// Mentions are identifiers that the event names but may have made up: of a server's library, the anonymousId beside a
	// userId. Each ranks below the route. What becomes of them is in mention.go; an alias has none.
	Mentions []Identifier
	// Alias are the roles of an alias event's identifiers; empty where it has no previousId. An event of a format
	// before 3 does not say which is which: each has the roles AliasCarried and AliasPrevious.
	Alias      []AliasRole
	Traits     []Trait
	Order      OrderChange
	Offer      OfferNotice
	Interest   Interest
	Properties []byte // JSON object as sent, or nil
	// Context is where and how the event was made: of the event's context, and of that of its batch, what
	// the rules keep, as a compact JSON object; nil when nothing is left.
	Context []byte
	// Marks are the signals that the event is of. Marked is the version of the definitions by which they were found; 0 is
	// that of a deployment without any. The shard of the route sees to it that both are of the version that it is at.
	Marks  []SignalMark
	Marked uint64
	// Group is what a group event says of its group; nil for other events, and where it names none.
	Group *GroupCall
}

// Route is the key of the first identifier: where the event is handled. It is known from the event alone, so a
// replay takes the same road.
func (e *Event) Route() NodeKey { return e.Identifiers[0].Key }
