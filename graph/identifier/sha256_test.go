package identifier

import (
	"errors"
	"strings"
	"testing"
)

// N3: a value and its SHA-256 are one node, by either name and wherever the hash stands.
func TestHashIsTheValue(t *testing.T) {
	r := newRegistry(t, Config{})
	for _, c := range []struct{ namespace, raw, normal string }{
		{"email", "Ann@Example.com", "ann@example.com"},
		{"email", "Ann <ann@example.com>;", "ann@example.com"},
		{"email", "ann@bücher.example", "ann@xn--bcher-kva.example"},
		{"phone", "(415) 555-2671", "+14155552671"},
	} {
		hash := string(appendSHA256(nil, []byte(c.normal)))
		plain, err := r.Parse(c.namespace + ":" + c.raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{
			c.namespace + "_sha256:" + hash, c.namespace + "_sha256:" + strings.ToUpper(hash), c.namespace + ":" + hash, c.namespace + ": " + strings.ToUpper(hash),
		} {
			id, err := r.Parse(text)
			if err != nil || id.Key != plain.Key || id.Namespace != c.namespace+"_sha256" || string(id.Value) != hash {
				t.Errorf("%s: %+v, %v; want the key of %s", text, id, err, c.raw)
			}
		}
	}
	// Of before they were two.
	old := newRegistry(t, Config{PlainKeys: true})
	a, _ := old.Parse("email:ann@example.com")
	b, _ := old.Parse("email:71d4f55f72fa128dfb468a1a3901507c804b74316488744d769d7f4b16696476")
	if a.Key == b.Key || b.Namespace != "email_sha256" {
		t.Errorf("%+v %+v", a, b)
	}
	for _, text := range []string{"email:71d4f55f72fa128dfb468a1a3901507c804b74316488744d769d7f4b1669647", "email:" + strings.Repeat("g", 64)} {
		if _, err := r.Parse(text); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// The hash of what names nobody names nobody.
func TestHashesOfNobody(t *testing.T) {
	n := newRegistry(t, Config{Blocked: []string{"email:Unknown@Shop.example"}}).NewNormaliser()
	for _, text := range []string{"", "null", "undefined", "(not set)", "test@test.com", "anonymous", "unknown@shop.example"} {
		hash := string(appendSHA256(nil, []byte(text)))
		for _, namespace := range []string{"email", "email_sha256"} {
			if _, err := identify(n, namespace, hash); !errors.Is(err, ErrBlocked) {
				t.Errorf("%s: SHA-256 of %q: %v", namespace, text, err)
			}
		}
	}
	if _, err := identify(n, "email_sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"); !errors.Is(err, ErrBlocked) {
		t.Errorf("the hash of nothing: %v", err)
	}
}
