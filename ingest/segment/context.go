package segment

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/jsonscan"
	"github.com/kindred-id/kindred/internal/jsontext"
)

// ContextOptions control which part of an event's context is stored. The zero value is the default.
type ContextOptions struct {
	// Keep lists the stored keys of a context, the most important first. nil means defaultContextKeys; an empty list
	// stores nothing.
	Keep []string
	// IP controls how context.ip is stored.
	IP IPPolicy
	// MaxBytes bounds the stored context of one event. Default defaultContextBytes.
	MaxBytes int
}

// IPPolicy controls how an address in context.ip is stored.
type IPPolicy uint8

// The policies.
const (
	ipNone      IPPolicy = iota // nothing
	ipTruncated                 // the network: the first 24 bits of IPv4, the first 48 of IPv6
	ipWhole                     // the address
)

var ipPolicies = [...]string{"none", "truncated", "whole"}

func (p IPPolicy) String() string { return ipPolicies[p] }

// ParseIPPolicy reads a policy by its name.
func ParseIPPolicy(name string) (IPPolicy, error) {
	if i := slices.Index(ipPolicies[:], name); i >= 0 {
		return IPPolicy(i), nil
	}
	return 0, fmt.Errorf("ip policy %.60q: want none, truncated or whole", name)
}

// Bounds of the stored context.
const (
	defaultContextBytes  = 4096
	contextBytesLeast    = 256
	contextBytesMost     = 32 << 10
	contextKeysMost      = 64
	contextKeyBytesMost  = 64
	contextPartsOfValue  = 2 // an object above bound/2 is cut member by member
	contextPartsOfMember = 4 // a member above bound/4 is dropped
)

// defaultContextKeys are the stored keys of a context unless the rules list others, the most important first:
// consent, origin, place, and device.
func defaultContextKeys() []string {
	return []string{
		"consent", "consentManagement", "groupId", "campaign", "page", "referrer", "timezone", "locale", "userAgent",
		"library", "app", "os", "screen",
	}
}

// keep returns Keep or its default.
func (o ContextOptions) keep() []string {
	if o.Keep == nil {
		return defaultContextKeys()
	}
	return o.Keep
}

// Check reports every problem of the options in one error.
func (o ContextOptions) Check() error {
	var errs []error
	for i, key := range o.Keep {
		switch {
		case key == "" || len(key) > contextKeyBytesMost:
			errs = append(errs, fmt.Errorf("context key %.80q: want 1 to %d bytes", key, contextKeyBytesMost))
		case key == contextIP:
			errs = append(errs, errors.New("context key \"ip\": an address is kept by the policy of ip: want none, truncated or whole there"))
		case key == "traits" || key == "externalIds":
			errs = append(errs, fmt.Errorf("context key %q: it is read for who the person is, and not kept a second time", key))
		case slices.Contains(o.Keep[:i], key):
			errs = append(errs, fmt.Errorf("context key %q: is listed twice", key))
		}
	}
	if len(o.Keep) > contextKeysMost {
		errs = append(errs, fmt.Errorf("%d context keys: want %d or fewer", len(o.Keep), contextKeysMost))
	}
	if o.IP > ipWhole {
		errs = append(errs, fmt.Errorf("ip policy %d: there is none of that number", o.IP))
	}
	if o.MaxBytes != 0 && (o.MaxBytes < contextBytesLeast || o.MaxBytes > contextBytesMost) {
		errs = append(errs, fmt.Errorf("context bound of %d bytes: want %d to %d", o.MaxBytes, contextBytesLeast, contextBytesMost))
	}
	return errors.Join(errs...)
}

// contextRole is the purpose for which the decoder itself reads a key of the context.
type contextRole uint8

const (
	roleNone contextRole = iota
	roleTraits
	roleDevice
	roleLibrary
	roleSystem
	roleExternalIDs
	roleIntegrations
)

var contextRoles = map[string]contextRole{
	"traits": roleTraits, "device": roleDevice, "library": roleLibrary, "os": roleSystem,
	"externalIds": roleExternalIDs, "integrations": roleIntegrations,
}

const (
	contextIP    = "ip"
	contextGroup = "groupId"
)

// contextKey is a relevant key of a context: stored, read, or on the path to an identifier.
type contextKey struct {
	name  string
	label string // `"name":`
	field string // context.name, for reports of dropped fields
	role  contextRole
	node  *pathNode // of the configured paths; nil if it is on none of them
}

// contextKeys are the relevant keys of a context. The stored ones come first, in this order.
type contextKeys struct {
	list     []contextKey
	kept     int
	group    int        // index of groupId if it is stored, else -1
	ip       int        // likewise for ip
	byLength [][]uint16 // indexes, by the length of the name
}

// newContextKeys lists the keys of a context that matter: those to be stored, then those with a role for identifiers
// or traits, then those on a configured path. find tells all others by their length and name.
func newContextKeys(o ContextOptions, paths *pathNode) contextKeys {
	keep := o.keep()
	if o.IP != ipNone {
		keep = append(slices.Clone(keep), contextIP)
	}
	names := slices.Clone(keep)
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for name := range contextRoles {
		add(name)
	}
	slices.Sort(names[len(keep):])
	context := paths.child([]byte("context"))
	if context != nil {
		for _, child := range context.children {
			add(child.key)
		}
	}
	k := contextKeys{kept: len(keep), group: slices.Index(keep, contextGroup), ip: slices.Index(keep, contextIP)}
	for i, name := range names {
		label := append(jsontext.AppendString(nil, name), ':')
		k.list = append(k.list, contextKey{name, string(label), "context." + name, contextRoles[name], context.child([]byte(name))})
		for len(k.byLength) <= len(name) {
			k.byLength = append(k.byLength, nil)
		}
		k.byLength[len(name)] = append(k.byLength[len(name)], uint16(i))
	}
	return k
}

// find returns the index of a key, or -1.
func (k *contextKeys) find(key []byte) int {
	if len(key) >= len(k.byLength) || len(key) == 0 {
		return -1
	}
	for _, i := range k.byLength[len(key)] {
		if name := k.list[i].name; name[0] == key[0] && name == string(key) {
			return int(i)
		}
	}
	return -1
}

// held holds the raw values of a context's relevant keys, nil if absent or empty. Its slices are as long as
// contextKeys.list.
type held struct {
	values [][]byte
	own    []bool // the event's own context has a value there
}

// newHeld makes room for the values of n keys.
func newHeld(n int) held { return held{make([][]byte, n), make([]bool, n)} }

// readContext reads the event's own context.
func (p *picker) readContext(s *jsonscan.Scanner, n *pathNode) {
	p.fields.hasContext = s.Peek() > jsonscan.Null
	if !p.object(s, n, "context") {
		return
	}
	for s.Next() {
		if at := p.keys.find(s.Key()); at >= 0 {
			p.readContextValue(s, at)
		} else {
			s.Value()
		}
	}
}

// readBatchContext reads the batch's context for the keys without a value in the event's own.
func (p *picker) readBatchContext() {
	s := &p.scan
	s.Reset(p.context, &p.arena)
	for i, v := range p.held.values {
		p.held.own[i] = v != nil
	}
	if s.Peek() != jsonscan.Object && p.fields.hasContext {
		return // reported with events that have no context of their own
	}
	if !p.object(s, nil, "context") {
		return
	}
	for s.Next() {
		if at := p.keys.find(s.Key()); at >= 0 && !p.held.own[at] {
			p.readContextValue(s, at)
		} else {
			s.Value()
		}
	}
}

// readContextValue reads the value of a relevant key. If a key repeats, the last value wins.
func (p *picker) readContextValue(s *jsonscan.Scanner, at int) {
	f, k := &p.fields, &p.keys.list[at]
	s.Peek()
	start := s.Pos()
	switch k.role {
	case roleTraits:
		p.readTraits(s, k.node, k.field, &p.shared)
	case roleDevice:
		p.readDevice(s, k.node)
	case roleLibrary:
		p.readName(s, k.node, k.field, &f.library)
	case roleSystem:
		p.readName(s, k.node, k.field, &f.systemName)
	case roleExternalIDs:
		p.readExternalIDs(s, k.node)
	case roleIntegrations:
		p.readIntegrations(s, k.node)
	default:
		p.value(s, k.node)
	}
	p.held.values[at] = nil
	if raw := s.Since(start); says(raw) && (k.role == roleNone || k.role == roleExternalIDs || raw[0] == '{') {
		p.held.values[at] = raw
	}
}

// says reports whether a value has content: null, "", {} and [] do not.
func says(raw []byte) bool {
	if len(raw) < 2 {
		return len(raw) > 0
	}
	switch raw[0] {
	case 'n':
		return false
	case '"':
		return len(raw) > 2
	case '{', '[':
		c := raw[1]
		for i := 2; c <= ' ' && i < len(raw); i++ {
			c = raw[i]
		}
		return c != '}' && c != ']'
	}
	return true
}

// contextKeeper stores the part of an event's context that the options select.
type contextKeeper struct {
	*picker
	max    int // bytes
	policy IPPolicy
}

// keepContext stores the context with the event: one compact object of at most MaxBytes.
func (c *contextKeeper) keepContext(ev *graph.Event) {
	ev.Context = nil
	k, values := &c.keys, c.held.values[:c.keys.kept]
	if k.group >= 0 && ev.Type == graph.TypeGroup {
		if v := c.fields.groupID; isText(v) && !absent(v) && says(v.Raw) {
			values[k.group] = v.Raw
		}
	}
	if k.ip >= 0 && values[k.ip] != nil {
		values[k.ip] = c.keptIP(values[k.ip])
	}
	size := len("{}") - len(",")
	for i, raw := range values {
		if raw != nil {
			size += len(k.list[i].label) + len(raw) + len(",")
		}
	}
	if size <= 1 {
		return
	}
	if c.fields.spaced || c.fields.broken {
		size = c.tidy(values)
	}
	if size > c.max {
		ev.Context = c.cutContext(values)
		return
	}
	room := append(c.arena.Reserve(size), '{')
	for i, raw := range values {
		if raw == nil {
			continue
		}
		if len(room) > 1 {
			room = append(room, ',')
		}
		room = append(append(room, k.list[i].label...), raw...)
	}
	ev.Context = c.arena.Keep(append(room, '}'))
}

// tidy removes white space and invalid text from the values, and returns their total size.
func (c *contextKeeper) tidy(values [][]byte) int {
	size := len("{}") - len(",")
	for i, raw := range values {
		if raw == nil {
			continue
		}
		values[i] = c.tidied(raw)
		size += len(c.keys.list[i].label) + len(values[i]) + len(",")
	}
	return size
}

// cutContext reduces values above the bound to those that fit, the most important key first. One large value must not
// displace all others: a member or value above a quarter of the bound is dropped, and an object above half of it, or
// above the remaining room, keeps the members that fit.
func (c *contextKeeper) cutContext(values [][]byte) []byte {
	left := c.max - len("{}")
	room := append(c.arena.Reserve(c.max), '{')
	for i, raw := range values {
		if raw == nil {
			continue
		}
		label := c.keys.list[i].label
		need := len(",") + len(label)
		most := c.max / contextPartsOfMember
		if raw[0] == '{' {
			most = c.max / contextPartsOfValue
		}
		kept := raw
		if len(raw) > most || need+len(raw) > left {
			kept = nil
			if raw[0] == '{' {
				kept = c.cutObject(raw, min(most, left-need))
			}
			if c.telling() {
				c.drop(c.keys.list[i].field, CodeFieldTooLarge, fmt.Sprintf("has %d bytes, of %d that are kept of a context", len(raw), c.max),
					"it is kept in part or not at all: send less, or raise context.max_bytes in the rules")
			} else {
				c.drop(c.keys.list[i].field, CodeFieldTooLarge, "", "")
			}
		}
		if kept == nil {
			continue
		}
		if len(room) > 1 {
			room = append(room, ',')
		}
		room = append(append(room, label...), kept...)
		left -= need + len(kept)
	}
	if len(room) == 1 {
		return nil
	}
	return c.arena.Keep(append(room, '}'))
}

// cutObject returns an object with the first members that fit into the given bytes; nil if none of them fits. It is
// rare, so it may allocate.
func (c *contextKeeper) cutObject(raw []byte, most int) []byte {
	out := []byte{'{'}
	var s jsonscan.Scanner
	s.Reset(raw, new(jsonscan.Arena))
	for s.Object(); s.Next(); {
		member := jsontext.AppendString(nil, s.Key())
		v := s.Value()
		member = append(append(member, ':'), v.Raw...)
		if len(v.Raw) > c.max/contextPartsOfMember || len(out)+len(",")+len(member)+len("}") > most {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, member...)
	}
	if len(out) == 1 {
		return nil
	}
	return append(out, '}')
}

// keptIP returns the stored form of an address by the policy, as JSON text; nil if nothing is stored.
func (c *contextKeeper) keptIP(raw []byte) []byte {
	if raw[0] == '"' && c.policy == ipWhole {
		return raw
	}
	network, ok := truncateIP(c.arena.Reserve(len(raw)+len(`"::ffff:0:0"`)), bytes.Trim(raw, `"`))
	if !ok {
		c.drop(c.keys.list[c.keys.ip].field, CodeBadIP, "is no address of IPv4 or IPv6", "send one address, without a port")
		return nil
	}
	return c.arena.Keep(network)
}
