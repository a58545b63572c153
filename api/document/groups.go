package document

import "github.com/kindred-id/kindred/graph"

// Memberships are a page of the groups that a person's group events name, by id.
type Memberships struct {
	ID     string       `json:"id"` // public id of the person
	Groups []Membership `json:"groups"`
	Next   TextOrNull   `json:"next"` // cursor of the next page; null at the end
}

// Membership is a group, such as a company, that events say a person belongs to.
type Membership struct {
	ID        string     `json:"id"`         // groupId, as it was sent
	Type      TextOrNull `json:"type"`       // groupType, if it was sent
	Events    uint64     `json:"events"`     // group events that name it
	FirstSeen Time       `json:"first_seen"` // time of the first of them
	LastSeen  Time       `json:"last_seen"`  // time of the last of them
}

// GroupSummary is what all answers about a group begin with.
type GroupSummary struct {
	ID            string     `json:"id"`                        // groupId, as it was sent
	Type          TextOrNull `json:"type"`                      // groupType; null where none was sent
	Events        uint64     `json:"events"`                    // group events that name it
	FirstSeen     Time       `json:"first_seen"`                // time of the first of them
	LastSeen      Time       `json:"last_seen"`                 // time of the last of them
	Identifiers   uint64     `json:"identifiers"`               // under which these events came in: at least as many as people
	TraitsLeftOut bool       `json:"traits_left_out,omitempty"` // there were more traits than a group keeps: those set the latest are here
}

// NewGroupSummary describes a group.
func NewGroupSummary(g *graph.Group) GroupSummary {
	return GroupSummary{
		ID: g.ID, Type: TextOrNull(g.Type), Events: g.Events, FirstSeen: NewTime(g.First), LastSeen: NewTime(g.Last),
		Identifiers: g.Members, TraitsLeftOut: g.LeftOut,
	}
}

// GroupProfile is a group, such as a company, with its traits.
type GroupProfile struct {
	GroupSummary
	People CountOrNull `json:"people"` // in the group; null where so many identifiers are in it that they are not counted
	Traits Traits      `json:"traits"`
}

// VerboseGroupProfile is a group with where each of its traits comes from.
type VerboseGroupProfile struct {
	GroupSummary
	People CountOrNull             `json:"people"` // as in GroupProfile
	Traits map[string]VerboseTrait `json:"traits"`
}

// AnyGroup is a GroupProfile, or a VerboseGroupProfile where this was asked for.
type AnyGroup struct{}

// NewGroupTraits are the traits of a group that are not deleted.
func NewGroupTraits(g *graph.Group) Traits {
	traits := Traits{}
	for i := range g.Traits {
		if t := &g.Traits[i]; t.Value != nil {
			traits[t.Name] = t.Value
		}
	}
	return traits
}

// NewVerboseGroupTraits are the same, with where each comes from.
func NewVerboseGroupTraits(g *graph.Group) map[string]VerboseTrait {
	traits := map[string]VerboseTrait{}
	for i := range g.Traits {
		if t := &g.Traits[i]; t.Value != nil {
			traits[t.Name] = VerboseTrait{
				Value: t.Value, UpdatedAt: NewTime(t.Stamp.Time), Source: TextOrNull(t.Source), MessageID: TextOrNull(t.EventID),
			}
		}
	}
	return traits
}

// Groups are a page of all groups, in an order that means nothing.
type Groups struct {
	Groups []GroupLine `json:"groups"`
	Next   TextOrNull  `json:"next"` // cursor of the next page; null at the end
}

// GroupLine is a group in the list of all.
type GroupLine struct {
	GroupSummary
	Traits Traits `json:"traits"`
}

// GroupMembers are a page of the people of a group.
type GroupMembers struct {
	ID      string        `json:"id"`   // groupId
	Type    TextOrNull    `json:"type"` // groupType; null where none was sent
	Members []GroupMember `json:"members"`
	Next    TextOrNull    `json:"next"` // cursor of the next page; null at the end
}

// GroupMember is a person in a group.
type GroupMember struct {
	ID        string `json:"id"`         // public id of the person
	Events    uint64 `json:"events"`     // their group events that name the group
	FirstSeen Time   `json:"first_seen"` // time of the first of them
	LastSeen  Time   `json:"last_seen"`  // time of the last of them
}
