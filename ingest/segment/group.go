package segment

import (
	"bytes"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// readGroup fills what a group event says of its group. Without a usable groupId the event still counts for its person, and
// what was wrong is named; a trait that is too large is left out alone.
func (p *picker) readGroup(ev *graph.Event) {
	ev.Group = nil
	if ev.Type != graph.TypeGroup {
		return
	}
	if absent(p.fields.groupID) {
		p.drop("groupId", CodeNoGroup, "is missing", "send the id of the group, such as an account's")
		return
	}
	id, usable := p.groupText("groupId", p.fields.groupID)
	if !usable {
		return
	}
	g := graph.GroupCall{ID: id}
	if !absent(p.fields.groupType) {
		if g.Type, usable = p.groupText("groupType", p.fields.groupType); !usable {
			return // without its type it would be another group
		}
	}
	g.Key = p.registry.GroupKey(g.Type, g.ID)
	g.Traits = p.groupTraits()
	ev.Group = &g
}

// groupText returns an id or a type of a group, without white space around it. It reports false if it dropped the field.
func (p *picker) groupText(field string, v jsonscan.Value) (text []byte, usable bool) {
	if !isText(v) {
		p.dropText(field, &v)
		return nil, false
	}
	text, usable = GroupText(p.idText(v))
	switch {
	case usable:
		return text, true
	case len(text) > identifier.MaxBytes:
		p.drop(field, CodeLongIdentifier, fmt.Sprintf("is %d bytes long, want %d or fewer", len(text), identifier.MaxBytes), "send a shorter one, or its hash")
	default:
		p.drop(field, CodeNoGroup, "names no group", "send the id of the group, such as an account's")
	}
	return nil, false
}

// GroupText returns an id or a type of a group without white space around it, and reports whether it names anything.
func GroupText(text []byte) (trimmed []byte, usable bool) {
	text = bytes.TrimSpace(text)
	return text, len(text) > 0 && len(text) <= identifier.MaxBytes && !identifier.Junk(text)
}

// groupTraits returns the event's own traits, as they are those of the group.
func (p *picker) groupTraits() []graph.Trait {
	p.stats.ExcessTraits += p.own.excess
	traits := make([]graph.Trait, 0, len(p.own.traits))
	for _, t := range p.own.traits {
		if size := len(t.Name) + len(t.Value); size > graph.GroupTraitBytesMax {
			p.dropLargeTrait(t.Name, size)
			continue
		}
		traits = append(traits, t)
	}
	return traits
}

func (p *picker) dropLargeTrait(name []byte, size int) {
	if !p.telling() {
		p.drop("traits", CodeFieldTooLarge, "", "")
		return
	}
	p.drop("traits", CodeFieldTooLarge, fmt.Sprintf("%s takes %d bytes with its name, want %d or fewer in a group", quote(name), size, graph.GroupTraitBytesMax),
		"send a shorter value")
}
