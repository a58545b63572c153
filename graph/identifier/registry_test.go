package identifier

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kindred-id/kindred/graph"
)

func TestNewRefuses(t *testing.T) {
	ns := func(name string, class graph.Class, normaliser graph.Normaliser) Config {
		return Config{Namespaces: []graph.Namespace{{Name: name, Class: class, Normaliser: normaliser}}}
	}
	for _, c := range []struct {
		name string
		cfg  Config
		want []string // parts of the error
	}{
		{"class of a default", ns("email", graph.ClassCustomer, "email"), []string{`"email"`, "class", "contact"}},
		{"normaliser of a default", ns("email", graph.ClassContact, "trim"), []string{`"email"`, "normaliser", "keeps"}},
		{"name", ns("Loyalty Card", graph.ClassCustomer, "trim"), []string{`"Loyalty Card"`, "a-z"}},
		{"no name", ns("", graph.ClassCustomer, "trim"), []string{`""`, "a-z"}},
		{"long name", ns(strings.Repeat("a", 65), graph.ClassCustomer, "trim"), []string{"64"}},
		{"class", ns("card", 9, "trim"), []string{`"card"`, "customer, contact, device or cookie"}},
		{"no class", ns("card", 0, "trim"), []string{`"card"`}},
		{"normaliser", ns("card", graph.ClassCustomer, "upper"), []string{`"card"`, `"upper"`, "trim, lower"}},
		{"region", Config{Region: "USA"}, []string{`"USA"`, "ISO 3166"}},
		{"pattern", Config{BlockedPatterns: []string{"(["}}, []string{`"(["`, "RE2"}},
		{"greedy pattern", Config{BlockedPatterns: []string{"x*"}}, []string{`"x*"`, "every value"}},
		{"blocked", Config{Blocked: []string{" "}}, []string{"empty"}},
		{"blocked in a namespace", Config{Blocked: []string{"email: "}}, []string{"empty"}},
		{"twice", Config{Namespaces: []graph.Namespace{
			{Name: "card", Class: graph.ClassCustomer, Normaliser: "trim"}, {Name: "card", Class: graph.ClassDevice, Normaliser: "trim"},
		}}, []string{`"card"`, "twice"}},
		{"several", Config{Region: "XX", BlockedPatterns: []string{"("}}, []string{`"XX"`, `"("`}},
	} {
		_, err := New(testSecret, c.cfg)
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: error %q does not say %q", c.name, err, part)
			}
		}
	}
}

func TestNamespaces(t *testing.T) {
	card := graph.Namespace{Name: "loyalty_card", Class: graph.ClassCustomer, Normaliser: graph.NormaliseTrim}
	email := graph.Namespace{Name: "email", Class: graph.ClassContact, Normaliser: graph.NormaliseEmail}
	r := newRegistry(t, Config{Namespaces: []graph.Namespace{email, card}})
	if got, want := r.Namespaces(), append(graph.DefaultNamespaces(), card); !slices.Equal(got, want) {
		t.Errorf("namespaces %v, want %v", got, want)
	}
	if ns := r.Namespace([]byte("loyalty_card")); ns == nil || ns.Namespace != card {
		t.Errorf("loyalty_card is %v", ns)
	}
	if ns := r.Namespace([]byte("loyalty")); ns != nil {
		t.Errorf("loyalty is %v, want nil", ns)
	}
}

// Keys are for ever: these must never change, neither those of today nor those of a deployment from before.
func TestKeysStay(t *testing.T) {
	r := newRegistry(t, Config{})
	const annHash = "71d4f55f72fa128dfb468a1a3901507c804b74316488744d769d7f4b16696476"
	for _, c := range []struct {
		registry   *Registry
		text, want string
	}{
		{r, "user_id:17", "kj6591vdje5whefyfmsm2ffydv0"},
		{r, "email:ann@example.com", "kf2pfg6tpy7j3g2748fjwjpw2dm"},
		{r, "email_sha256:" + annHash, "kf2pfg6tpy7j3g2748fjwjpw2dm"},
		{newRegistry(t, Config{PlainKeys: true}), "user_id:17", "kj6591vdje5whefyfmsm2ffydv0"},
		{newRegistry(t, Config{PlainKeys: true}), "email:ann@example.com", "kfk5zxb9xxw55pmhxy5nde937k4"},
		{newRegistry(t, Config{PlainKeys: true}), "email_sha256:" + annHash, "kf2pfg6tpy7j3g2748fjwjpw2dm"},
	} {
		id, err := c.registry.Parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := id.Key.String(); got != c.want {
			t.Errorf("key of %s is %s, want %s", c.text, got, c.want)
		}
	}
	if got, want := r.FormerSeenHash([]byte("web"), []byte("m1")), uint64(0x88a0dc5642799a42); got != want {
		t.Errorf("SeenHash is %#x, want %#x", got, want)
	}
	if got, want := Tie([]byte("m1"), 0), uint64(0xa77290f9b4aec66b); got != want {
		t.Errorf("Tie is %#x, want %#x", got, want)
	}
}

func TestKeysDiffer(t *testing.T) {
	r := newRegistry(t, Config{})
	other, err := New([16]byte{1}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	a, _ := r.Parse("email_sha256:abc")
	b, _ := r.Parse("phone_sha256:abc")
	c, _ := other.Parse("email_sha256:abc")
	if a.Key == b.Key || a.Key == c.Key {
		t.Error("keys are equal across namespaces or secrets")
	}
	if a.Key.Class() != graph.ClassContact {
		t.Errorf("class %s, want contact", a.Key.Class())
	}
	m := []byte("m")
	if r.SeenHash([]byte("ab"), []byte("c"), 1) == r.SeenHash([]byte("a"), []byte("bc"), 1) {
		t.Error("SeenHash runs source and id together")
	}
	if r.SeenHash(nil, m, 1) == other.SeenHash(nil, m, 1) {
		t.Error("SeenHash does not depend on the secret")
	}
	if r.SeenHash(nil, m, 1) == r.SeenHash(nil, m, 2) {
		t.Error("SeenHash does not depend on the content")
	}
	long := make([]byte, 1000)
	if r.SeenHash(long, m, 1) == r.SeenHash(long, []byte("n"), 1) {
		t.Error("SeenHash of a long source ignores the id")
	}
	source := []byte("web")
	if allocs := testing.AllocsPerRun(100, func() { r.SeenHash(source, m, 1); Tie(m, 1) }); allocs != 0 {
		t.Errorf("SeenHash and Tie: %v allocations, want none", allocs)
	}
}

func TestParse(t *testing.T) {
	r := newRegistry(t, Config{})
	id, err := r.Parse("user_id:a:b: c")
	if err != nil || string(id.Value) != "a:b: c" || id.Namespace != "user_id" || id.Raw != nil {
		t.Errorf("value with colons: %+v, %v", id, err)
	}
	id, err = r.Parse("email: Ann@Example.com ")
	if err != nil || string(id.Value) != "ann@example.com" || string(id.Raw) != "Ann@Example.com" {
		t.Errorf("value to normalise: %+v, %v", id, err)
	}
	for _, c := range []struct {
		text string
		want error
		says string
	}{
		{"ann@example.com", ErrSyntax, "namespace:value"},
		{":x", ErrSyntax, "namespace:value"},
		{"", ErrSyntax, "namespace:value"},
		{"emial:ann@example.com", ErrUnknownNamespace, `"emial"; known: anonymous_id, device_id, email,`},
		{"ann@example.com:x", ErrUnknownNamespace, "known: anonymous_id"},
		{"email:", ErrEmpty, `"email"`},
		{"user_id:null", ErrBlocked, `"user_id"`},
		{"email:ann", ErrInvalid, "no e-mail address"},
		{"user_id:" + strings.Repeat("x", 600), ErrTooLong, "600 bytes"},
	} {
		_, err := r.Parse(c.text)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.30q gives %v, want %v that says %q", c.text, err, c.want, c.says)
		}
		if strings.Contains(err.Error(), "ann@example.com:") {
			t.Errorf("%.30q: the error quotes a value: %v", c.text, err)
		}
	}
}

// A registry is shared; each goroutine has a normaliser of its own. The race detector is the judge.
func TestConcurrentUse(t *testing.T) {
	r := newRegistry(t, Config{Blocked: []string{"nobody"}, BlockedPatterns: []string{"^qa-"}})
	want, err := r.Parse("phone:(415) 555-2671")
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			n := r.NewNormaliser()
			for range 50 {
				id, err := identify(n, "phone", "415-555-2671")
				if err != nil || id.Key != want.Key {
					t.Errorf("key %v, %v; want %v", id.Key, err, want.Key)
				}
				r.SeenHash([]byte("web"), []byte("m"), 1)
			}
		})
	}
	wait.Wait()
}
