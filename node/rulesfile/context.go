package rulesfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/internal/yamlfile"
)

// Context selects the parts of an event's context that are stored with the event.
type Context struct {
	Keep     []string // keys of the context, most important first
	IP       string   // what to store of context.ip: none, truncated or whole
	MaxBytes int      // bound for one event
}

// Values of Context.IP.
const (
	ipNone      = "none"
	ipTruncated = "truncated"
	ipWhole     = "whole"
)

// Bounds of the settings of the context.
const (
	contextKeysMax     = 64
	contextKeyBytesMax = 64
	contextBytesLeast  = 256
	contextBytesMost   = 32 << 10
)

// defaultContext is stored unless the rules say otherwise: the consent of the person, the campaign and page that led to
// the event, and the device. No address is stored.
func defaultContext() Context {
	return Context{
		Keep: []string{
			"consent", "consentManagement", "groupId", "campaign", "page", "referrer", "timezone", "locale", "userAgent",
			"library", "app", "os", "screen",
		},
		IP: ipNone, MaxBytes: 4096,
	}
}

// context reads which keys of an event's context are stored. Each setting is read on its own: one that the file leaves
// out keeps the value of what it extends.
func (d decoder) context(f *File, n *yamlfile.Node, key string) {
	fields := d.Fields(n, key, "keep", "ip", "max_bytes")
	if keep := fields["keep"]; keep != nil {
		f.Context.Keep = d.contextKeep(keep, yamlfile.Join(key, "keep"))
	}
	if ip := fields["ip"]; ip != nil {
		policy, ok := d.Text(ip, yamlfile.Join(key, "ip"))
		if ok && !slices.Contains([]string{ipNone, ipTruncated, ipWhole}, policy) {
			d.Fail(ip, yamlfile.Join(key, "ip"), "unknown policy %q; want %s, %s or %s", policy, ipNone, ipTruncated, ipWhole)
		} else if ok {
			f.Context.IP = policy
		}
	}
	if most := fields["max_bytes"]; most != nil {
		v, ok := d.Number(most, yamlfile.Join(key, "max_bytes"), contextBytesLeast)
		if ok && v > contextBytesMost {
			d.Fail(most, yamlfile.Join(key, "max_bytes"), "%d; want %d or less", v, contextBytesMost)
		} else if ok {
			f.Context.MaxBytes = v
		}
	}
}

// contextKeep reads the list of keys. It refuses keys that would be accepted in silence and store nothing, or store
// something twice.
func (d decoder) contextKeep(n *yamlfile.Node, at string) []string {
	keys := []string{} // an empty list stores nothing, unlike nil
	for _, e := range d.Texts(n, at) {
		switch {
		case e.Key == "" || len(e.Key) > contextKeyBytesMax:
			d.Fail(e.Where, at, "key %.80q: want 1 to %d bytes", e.Key, contextKeyBytesMax)
		case e.Key == "ip":
			d.Fail(e.Where, at, "ip has a setting of its own; set context.ip to none, truncated or whole")
		case e.Key == "traits" || e.Key == "externalIds":
			d.Fail(e.Where, at, "%s is stored with the identity already; leave it out", e.Key)
		case strings.Contains(e.Key, "."): // accepted, it would silently store nothing
			first, _, _ := strings.Cut(strings.TrimPrefix(e.Key, "context."), ".")
			d.Fail(e.Where, at, "%.80s is a path; want a top-level key of the context, such as %.80s", e.Key, first)
		default:
			keys = append(keys, e.Key)
		}
	}
	if len(keys) > contextKeysMax {
		d.Fail(n, at, "%d keys; want %d or fewer", len(keys), contextKeysMax)
	}
	return keys
}

// String writes the context in the form of a rules file (F4).
func (c Context) String() string {
	keep := make([]string, len(c.Keep))
	for i, key := range c.Keep {
		keep[i] = scalar(key)
	}
	return fmt.Sprintf("{keep: [%s], ip: %s, max_bytes: %d}", strings.Join(keep, ", "), c.IP, c.MaxBytes)
}
