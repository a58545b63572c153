package access

import (
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// However many people sign in, the sessions are bounded, and those that end last stay.
func TestSessionsAreBounded(t *testing.T) {
	var s sessions
	now := time.Unix(1000, 0)
	hash := func(n int) [sha256.Size]byte {
		return sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n))) //nolint:gosec // it counts up
	}
	for n := range 2 * sessionsMost {
		s.add(hash(n), &Session{Until: now.Add(time.Duration(n) * time.Second)}, now)
	}
	if len(s.of) != sessionsMost || s.find(hash(0)) != nil || s.find(hash(2*sessionsMost-1)) == nil {
		t.Errorf("%d sessions are kept; want the %d that end last", len(s.of), sessionsMost)
	}
	s.add(hash(-1), &Session{Until: now.Add(time.Hour)}, now.Add(2*sessionsMost*time.Second))
	if len(s.of) != 1 {
		t.Errorf("%d sessions are kept after all others ended", len(s.of))
	}
}

// A cookie that no sign-in made is no session, whatever it is.
func TestForeignCookies(t *testing.T) {
	for _, value := range []string{"", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: value})
		if s := New(Config{}).SessionOf(r); s != nil {
			t.Errorf("%q is a session", value)
		}
	}
}
