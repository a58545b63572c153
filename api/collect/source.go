package collect

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
)

// defaultSource is the source of events that arrive without a write key.
const defaultSource = "http"

// maxSource bounds the name of a source, in bytes; a longer one becomes its hash.
const maxSource = 64

// sourceOf names the system that sent a request, by its write key: the user of Basic, X-Write-Key, the
// body's writeKey, the parameter writeKey. Of a key "id:secret" only the id is taken: sources are
// shown in timelines. Nothing is authenticated by it.
func sourceOf(r *http.Request, bodyKey []byte) string {
	key := basicUser(r.Header.Get("Authorization"))
	if key == "" {
		key = r.Header.Get("X-Write-Key")
	}
	if key == "" {
		key = string(bodyKey)
	}
	if key == "" {
		query := r.URL.Query()
		key = cmp.Or(query.Get("writeKey"), query.Get("writekey")) // as Jitsu's images have it
	}
	key, _, _ = strings.Cut(key, ":")
	switch {
	case key == "":
		return defaultSource
	case len(key) > maxSource || strings.ContainsFunc(key, func(c rune) bool { return c <= ' ' || c > '~' }):
		sum := sha256.Sum256([]byte(key))
		return "sha256:" + hex.EncodeToString(sum[:16])
	}
	return key
}

// basicUser is the user of a Basic Authorization. Some clients leave the colon out.
func basicUser(header string) string {
	const scheme = "basic "
	if len(header) < len(scheme) || !strings.EqualFold(header[:len(scheme)], scheme) {
		return ""
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(header[len(scheme):]))
	if err != nil {
		return ""
	}
	user, _, _ := strings.Cut(string(text), ":")
	return user
}
