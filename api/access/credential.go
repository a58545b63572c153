package access

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/kindred-id/kindred/actors/keyring"
)

// credentials are the names and keys that a request shows, in the order in which they count.
type credentials struct {
	basic    string // the user of Basic
	writeKey string // X-Write-Key
	bearer   string
	body     string // writeKey of the body
	query    string // writeKey of the query
}

// headersOf reads the credentials in the headers of a request. X-Write-Key and the query count on routes for events alone: a
// key in an address ends up in the logs of proxies.
func headersOf(r *http.Request, events bool) credentials {
	c := credentials{basic: basicUser(r.Header.Get("Authorization")), bearer: bearerToken(r.Header.Get("Authorization"))}
	if events {
		c.writeKey = r.Header.Get("X-Write-Key")
		query := r.URL.Query()
		c.query = cmp.Or(query.Get("writeKey"), query.Get("writekey")) // as Jitsu's images have it
	}
	return c
}

// key returns the first credential that has the form of a key. Libraries send a masked key in the body, and programs a name of
// their system in X-Write-Key, beside the key that counts.
func (c *credentials) key() string {
	for _, text := range [...]string{c.basic, c.writeKey, c.bearer, c.body, c.query} {
		if id := withoutSecret(text); keyring.Is(id) {
			return id
		}
	}
	return ""
}

// none reports whether the request shows nothing at all.
func (c *credentials) none() bool { return *c == credentials{} }

// named is the system that the request says it comes from; empty if it names none. It proves nothing.
func (c *credentials) named() string {
	return withoutSecret(cmp.Or(c.basic, c.writeKey, c.body, c.query))
}

// withoutSecret takes the id of a key "id:secret", as Jitsu has them: sources are shown in timelines.
func withoutSecret(text string) string {
	id, _, _ := strings.Cut(text, ":")
	return id
}

// defaultSource is the source of events that arrive without a write key.
const defaultSource = "http"

// maxSource bounds the name of a source, in bytes; a longer one becomes its hash.
const maxSource = 64

// SourceName makes the source of events of what somebody wrote.
func SourceName(text string) string { return sourceName(text) }

// sourceName makes the source of events of what a client wrote. A text that can't be shown, a key among them (A2), becomes its
// hash.
func sourceName(text string) string {
	switch {
	case text == "":
		return defaultSource
	case len(text) > maxSource || keyring.Is(text) || strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' }):
		sum := sha256.Sum256([]byte(text))
		return "sha256:" + hex.EncodeToString(sum[:16])
	}
	return text
}

// ShownKey returns the key that a request shows, as its client wrote it, to be sent back to that client alone.
func ShownKey(r *http.Request) string {
	c := headersOf(r, true)
	return withoutSecret(cmp.Or(c.basic, c.writeKey, c.query))
}

// basicUser is the user of a Basic Authorization. Some clients leave the colon out.
func basicUser(header string) string {
	encoded, ok := afterScheme(header, "basic ")
	if !ok {
		return ""
	}
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return ""
	}
	return withoutSecret(string(text))
}

func bearerToken(header string) string {
	token, _ := afterScheme(header, "bearer ")
	return token
}

func afterScheme(header, scheme string) (string, bool) {
	if len(header) < len(scheme) || !strings.EqualFold(header[:len(scheme)], scheme) {
		return "", false
	}
	return strings.TrimSpace(header[len(scheme):]), true
}
