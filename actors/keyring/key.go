package keyring

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/kindred-id/kindred/storage/row"
)

// Key is an access key, without the key itself (K1). Times are ms since 1970 UTC, and 0 for never.
type Key struct {
	ID        string // the first digits of the hash of the key, so that a finder of a leaked key can name it
	Name      string // for people
	Kind      Kind
	Role      Role // empty: the scopes were chosen one by one, or by the kind
	Scopes    Scope
	Source    string // of the events that come with a write key
	Created   int64
	Expires   int64
	Revoked   int64
	PerSecond int    // requests; 0: as many as the server allows each key
	Successor string // id of the key that took its place

	hash [sha256.Size]byte
}

// Spec says what a new key is for.
type Spec struct {
	Name      string
	Kind      Kind // empty: that of the role
	Role      Role
	Scopes    Scope  // 0: those of the role, else of the kind
	Source    string // of a write key; empty: the name
	Expires   int64  // ms since 1970 UTC; 0: never
	PerSecond int
}

// Bounds of a key.
const (
	maxName      = 64 // bytes; as those of a source that libraries name
	maxPerSecond = 1 << 20
	idBytes      = 8
	secretBytes  = 32
	prefixLen    = 3
)

var secretText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// keyLen is the length of every key, in bytes.
var keyLen = prefixLen + secretText.EncodedLen(secretBytes)

// longestKey is an upper bound of keyLen, for a buffer.
const longestKey = 64

// Is reports whether text has the form of a key. Such a text is never shown or stored, whether or not it is a key.
func Is(text string) bool {
	if len(text) != keyLen {
		return false
	}
	for _, k := range kindTable {
		if strings.HasPrefix(text, k.prefix) {
			return true
		}
	}
	return false
}

// hidden stands for a key in a text.
const hidden = "(key)"

// inText finds what may be a key in a text: too much of it is hidden rather than too little.
var inText = regexp.MustCompile(`[a-z]{2}_[a-z2-7]+`)

// Hide returns a text that is to be shown, without what has the form of a key.
func Hide(text string) string {
	return inText.ReplaceAllStringFunc(text, func(found string) string {
		for at := 0; at+keyLen <= len(found); at++ {
			if Is(found[at : at+keyLen]) {
				return hidden
			}
		}
		return found
	})
}

// newSecret makes a key of a kind.
func newSecret(kind Kind) string {
	var bits [secretBytes]byte
	_, _ = rand.Read(bits[:]) // never fails: the runtime ends the process when it can't read random bytes
	prefix := ""
	for _, k := range kindTable {
		if k.kind == kind {
			prefix = k.prefix
		}
	}
	return prefix + secretText.EncodeToString(bits[:])
}

// hashOf returns the hash of a key. REQUIRES: Is(secret)
func hashOf(secret string) [sha256.Size]byte {
	var b [longestKey]byte // so that the conversion does not allocate
	return sha256.Sum256(b[:copy(b[:], secret)])
}

// settle fills in what the kind or the role says, and checks the whole.
func (s *Spec) settle() error {
	var scopes Scope
	if s.Role != "" {
		var err error
		if scopes, err = s.Role.Scopes(); err != nil {
			return err
		}
		for _, r := range roleTable {
			if r.role == s.Role {
				s.Kind = cmp.Or(s.Kind, r.kind)
			}
		}
	}
	known := false
	for _, k := range kindTable {
		if k.kind == s.Kind {
			known, scopes = true, cmp.Or(scopes, k.scopes)
		}
	}
	if !known {
		return bad("kind %q: want write, read, admin, erase or ops", s.Kind)
	}
	if s.Role != "" && s.Scopes != 0 && s.Scopes != scopes {
		return bad("role %q and scopes: want one of both", s.Role)
	}
	s.Scopes = cmp.Or(s.Scopes, scopes)
	return s.check()
}

func (s *Spec) check() error {
	if s.Kind == Write { // K6
		if s.Scopes != WriteEvents {
			return bad("scopes of a write key: want %s alone; everybody can read a key that stands in a page", WriteEvents)
		}
		s.Source = cmp.Or(s.Source, s.Name)
	} else if s.Source != "" {
		return bad("source: only a write key names one")
	}
	if !fits(s.Name) || s.Kind == Write && s.Source == "" {
		return bad("name: want 1 to %d bytes of visible text", maxName)
	}
	if s.Source != "" && !fits(s.Source) {
		return bad("source: want 1 to %d bytes of visible text", maxName)
	}
	if s.PerSecond < 0 || s.PerSecond > maxPerSecond {
		return bad("rate of %d requests a second: want 1 to %d, or 0 for that of the server", s.PerSecond, maxPerSecond)
	}
	return nil
}

// fits reports whether a name can stand in logs, tables and rows. A key in the place of a name is refused: a name is shown.
func fits(name string) bool {
	return name != "" && len(name) <= maxName && !Is(name) && !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar })
}

// make makes a key. REQUIRES: s.settle() returned nil
func (s *Spec) make(now int64) (k Key, secret string) {
	secret = newSecret(s.Kind)
	hash := hashOf(secret)
	return Key{
		ID: hex.EncodeToString(hash[:idBytes]), Name: s.Name, Kind: s.Kind, Role: s.Role, Scopes: s.Scopes, Source: s.Source,
		Created: now, Expires: s.Expires, PerSecond: s.PerSecond, hash: hash,
	}, secret
}

// spec is the Spec of a key that may do the same.
func (k *Key) spec() Spec {
	return Spec{Name: k.Name, Kind: k.Kind, Role: k.Role, Scopes: k.Scopes, Source: k.Source, PerSecond: k.PerSecond}
}

// State says in a word whether a key is valid at a time.
func (k *Key) State(now int64) string {
	switch {
	case k.Revoked != 0:
		return "revoked"
	case k.Expires != 0 && now >= k.Expires:
		return "expired"
	case k.Successor != "":
		return "rotated"
	}
	return "live"
}

func (k *Key) row() *row.AccessKey {
	return &row.AccessKey{
		ID: k.ID, Hash: k.hash, Name: k.Name, Kind: string(k.Kind), Role: string(k.Role), Scopes: k.Scopes.Names(), Source: k.Source,
		Created: k.Created, Expires: k.Expires, Revoked: k.Revoked, PerSecond: uint32(k.PerSecond), Successor: k.Successor, //nolint:gosec // at most maxPerSecond
	}
}

// fromRow returns the key of a row. A permission that only a newer program knows is left out.
func fromRow(r *row.AccessKey) (*Key, error) {
	if r.ID != hex.EncodeToString(r.Hash[:idBytes]) {
		return nil, fmt.Errorf("access key %q: its id is not that of its hash", r.ID)
	}
	scopes, _ := knownScopes(r.Scopes)
	return &Key{
		ID: r.ID, Name: r.Name, Kind: Kind(r.Kind), Role: Role(r.Role), Scopes: scopes, Source: r.Source,
		Created: r.Created, Expires: r.Expires, Revoked: r.Revoked, PerSecond: int(r.PerSecond), Successor: r.Successor, hash: r.Hash,
	}, nil
}
