package graph

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A public id has one form: whatever is read gives itself again, and every other spelling of the same key is refused.
func TestPublicIDHasOneForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := NodeKey{Hi: rapid.Uint64().Draw(t, "hi"), Lo: rapid.Uint64().Draw(t, "lo")}
		id := key.String()
		if got, err := ParseNodeKey(id); err != nil || got != key {
			t.Fatalf("%s: %v, %v", id, got, err)
		}
		const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
		for _, last := range alphabet {
			if other := id[:len(id)-1] + string(last); other != id {
				if got, err := ParseNodeKey(other); err == nil && got == key {
					t.Fatalf("%s is read as %s", other, id)
				}
			}
		}
		at := rapid.IntRange(0, len(id)).Draw(t, "at")
		for _, odd := range []string{"\n", "\r", "=", " ", "-", "0", "\u200b"} {
			if other := id[:at] + odd + id[at:]; true {
				if _, err := ParseNodeKey(other); !errors.Is(err, errNotAnID) {
					t.Fatalf("%q is read", other)
				}
			}
			if at < len(id) && odd != "0" {
				if other := id[:at] + odd + id[at+1:]; true {
					if _, err := ParseNodeKey(other); !errors.Is(err, errNotAnID) {
						t.Fatalf("%q is read", other)
					}
				}
			}
		}
		for _, other := range []string{strings.ToUpper(id), "K" + id[1:], strings.ReplaceAll(id, "1", "l"), strings.ReplaceAll(id, "0", "o")} {
			if _, err := ParseNodeKey(other); other != id && !errors.Is(err, errNotAnID) {
				t.Fatalf("%q is read", other)
			}
		}
	})
}
