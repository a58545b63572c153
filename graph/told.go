package graph

import "slices"

// Told is what is kept of the audiences of a root's identities, as of the last step that evaluated them. It goes with the node, as
// Counted does: audiences are evaluated beside evidence, and evidence does not depend on them.
type Told struct {
	Due    int64 // when they are evaluated again, ms since 1970: that of the root's wake row; 0 without one
	People []ToldPerson
}

// ToldPerson is an identity with the audiences that it is in.
type ToldPerson struct {
	ID        NodeKey
	Audiences []uint32 // numbers, ascending; never empty
}

// Find returns the audiences of an identity; nil if it is in none.
func (t *Told) Find(id NodeKey) []uint32 {
	for i := range t.People {
		if t.People[i].ID == id {
			return t.People[i].Audiences
		}
	}
	return nil
}

// Size estimates the memory in bytes.
func (t *Told) Size() int {
	if t == nil {
		return 0
	}
	size := 32
	for i := range t.People {
		size += 40 + 4*len(t.People[i].Audiences)
	}
	return size
}

// Carry lets evidence that is about to leave take what was told of its identities along: each goes with its highest-ranked member,
// so that it arrives together with that. The first piece takes what was told of no member.
func Carry(messages []Message, people []ToldPerson) {
	first := (*Evidence)(nil)
	for i := range people {
		var to *Evidence
		for j := range messages {
			if ev := messages[j].Evidence; messages[j].Kind == KindAbsorb {
				if first == nil {
					first = ev
				}
				if _, found := searchMember(ev.Members, people[i].ID); found {
					to = ev
					break
				}
			}
		}
		if to == nil {
			to = first
		}
		if to != nil {
			to.Told = append(to.Told, people[i])
		}
	}
}

// UniteAudiences returns the numbers that are in either list, ascending.
func UniteAudiences(a, b []uint32) []uint32 {
	if len(a) == 0 {
		return b
	}
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// AudienceCause says why an identity entered or left an audience.
type AudienceCause uint8

// The causes.
const (
	ByEvent      AudienceCause = 1 + iota // the event of Cause.Mark, or another of the same commit
	ByMerge                               // people became one, or an identifier came to the person
	BySplit                               // a person became several
	ByTime                                // nothing but time has passed
	ByDefinition                          // the definition is new, changed or deleted

	audienceCauseEnd
)

var audienceCauseNames = [audienceCauseEnd]string{"", "event", "merge", "split", "time", "definition"}

func (c AudienceCause) String() string {
	if c < audienceCauseEnd {
		return audienceCauseNames[c]
	}
	return ""
}

// ParseAudienceCause reads a cause by its name; 0 when there is no such cause.
func ParseAudienceCause(name string) AudienceCause {
	for c := ByEvent; c < audienceCauseEnd; c++ {
		if name == audienceCauseNames[c] {
			return c
		}
	}
	return 0
}
