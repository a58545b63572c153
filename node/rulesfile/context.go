package rulesfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/internal/yamlfile"
)

// Context says what of an event's context is kept with the event.
type Context struct {
	Keep     []string // keys of the context, the most important first
	IP       string   // of context.ip: IPNone, IPTruncated or IPWhole
	MaxBytes int      // of what is kept of one event
}

// What may be kept of an address.
const (
	IPNone      = "none"
	IPTruncated = "truncated"
	IPWhole     = "whole"
)

// Bounds of the settings of the context.
const (
	contextKeysMax     = 64
	contextKeyBytesMax = 64
	contextBytesLeast  = 256
	contextBytesMost   = 32 << 10
)

// defaultContext is what is kept unless the rules say otherwise: what a person agreed to, where they came from,
// where they were, and with what. No address is kept.
func defaultContext() Context {
	return Context{
		Keep: []string{
			"consent", "consentManagement", "groupId", "campaign", "page", "referrer", "timezone", "locale", "userAgent",
			"library", "app", "os", "screen",
		},
		IP: IPNone, MaxBytes: 4096,
	}
}

func (d decoder) context(f *File, n *yamlfile.Node, key string) {
	fields := d.Fields(n, key, "keep", "ip", "max_bytes")
	if keep := fields["keep"]; keep != nil {
		f.Context.Keep = d.contextKeep(keep, yamlfile.Join(key, "keep"))
	}
	if ip := fields["ip"]; ip != nil {
		policy, ok := d.Text(ip, yamlfile.Join(key, "ip"))
		if ok && !slices.Contains([]string{IPNone, IPTruncated, IPWhole}, policy) {
			d.Fail(ip, yamlfile.Join(key, "ip"), "unknown policy %q; want %s, %s or %s", policy, IPNone, IPTruncated, IPWhole)
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

func (d decoder) contextKeep(n *yamlfile.Node, at string) []string {
	keys := []string{} // an empty list keeps nothing
	for _, e := range d.Texts(n, at) {
		switch {
		case e.Key == "" || len(e.Key) > contextKeyBytesMax:
			d.Fail(e.Where, at, "key %.80q: want 1 to %d bytes", e.Key, contextKeyBytesMax)
		case e.Key == "ip":
			d.Fail(e.Where, at, "an address is kept by context.ip: want none, truncated or whole there")
		case e.Key == "traits" || e.Key == "externalIds":
			d.Fail(e.Where, at, "%s says who the person is, and is not kept a second time; leave it out", e.Key)
		case strings.Contains(e.Key, "."): // it would keep nothing, silently
			first, _, _ := strings.Cut(strings.TrimPrefix(e.Key, "context."), ".")
			d.Fail(e.Where, at, "%.80s is a path, and what is kept is a whole key of the context, such as %.80s", e.Key, first)
		default:
			keys = append(keys, e.Key)
		}
	}
	if len(keys) > contextKeysMax {
		d.Fail(n, at, "%d keys; want %d or fewer", len(keys), contextKeysMax)
	}
	return keys
}

// String is the context as the file has it (F4).
func (c Context) String() string {
	keep := make([]string, len(c.Keep))
	for i, key := range c.Keep {
		keep[i] = scalar(key)
	}
	return fmt.Sprintf("{keep: [%s], ip: %s, max_bytes: %d}", strings.Join(keep, ", "), c.IP, c.MaxBytes)
}
