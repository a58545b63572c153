package keyring

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/storage"
)

// ring is a keyring with a clock.
type ring struct {
	*Keyring
	t     *testing.T
	store *storage.MemStore
	clock int64
}

func newRing(t *testing.T) *ring {
	t.Helper()
	r := &ring{t: t, store: storage.NewMemStore(), clock: 1_000_000}
	r.reopen()
	return r
}

func (r *ring) reopen() {
	r.t.Helper()
	k, err := Open(catalog.New(r.store, nil), func() int64 { return r.clock })
	if err != nil {
		r.t.Fatal(err)
	}
	r.Keyring = k
}

func (r *ring) create(s Spec) (Key, string) {
	r.t.Helper()
	k, secret, err := r.Create(context.Background(), s, All())
	if err != nil {
		r.t.Fatal(err)
	}
	return k, secret
}

func (r *ring) finds(secret string, want error) {
	r.t.Helper()
	if _, err := r.Find(secret); !errors.Is(err, want) {
		r.t.Fatalf("found with %v, want %v", err, want)
	}
}

func TestLifeOfKeys(t *testing.T) {
	r := newRing(t)
	ctx := context.Background()
	if !r.Empty() {
		t.Fatal("a new deployment has keys")
	}
	if _, _, err := r.Create(ctx, Spec{Kind: Write, Name: "shop"}, All()); !errors.Is(err, ErrFirst) {
		t.Fatalf("a first key that can't administer: %v", err)
	}
	admin, adminSecret := r.create(Spec{Kind: Admin, Name: "ann"})
	write, secret := r.create(Spec{Kind: Write, Name: "shop", Expires: r.clock + 1000})
	if r.Empty() || write.Source != "shop" || write.Scopes != WriteEvents || admin.Scopes != All() {
		t.Fatal(admin, write)
	}
	r.reopen()
	r.finds(secret, nil)
	r.finds(adminSecret, nil)

	r.clock += 600
	next, nextSecret, err := r.Rotate(ctx, write.ID, 200*time.Millisecond, All())
	if err != nil || next.Expires != r.clock+1000 || next.Source != "shop" || next.Name != "shop" {
		t.Fatal(next, err)
	}
	r.finds(secret, nil)
	r.finds(nextSecret, nil)
	if _, _, err := r.Rotate(ctx, write.ID, 0, All()); !errors.Is(err, ErrEnded) {
		t.Errorf("rotated twice: %v", err)
	}
	r.clock += 200
	r.finds(secret, ErrExpired)
	r.finds(nextSecret, nil)
	if _, err := r.Revoke(ctx, next.ID, All()); err != nil {
		t.Fatal(err)
	}
	r.finds(nextSecret, ErrRevoked)
	r.reopen()
	r.finds(nextSecret, ErrRevoked)
	r.finds(secret, ErrExpired)
	if _, err := r.Revoke(ctx, "0000000000000000", All()); !errors.Is(err, ErrNoKey) {
		t.Errorf("revoked nothing: %v", err)
	}
	var states []string
	for _, k := range r.List() {
		states = append(states, k.Name+" "+k.State(r.clock))
	}
	slices.Sort(states)
	if got := strings.Join(states, ", "); got != "ann live, shop expired, shop revoked" {
		t.Error(got)
	}
	if _, err := r.Revoke(ctx, admin.ID, All()); err != nil || r.Empty() { // K3
		t.Errorf("the last key that may administer was revoked, and the deployment is open: %v", err)
	}
}

// A change is told, and how long a key has left.
func TestLeft(t *testing.T) {
	r := newRing(t)
	admin, _ := r.create(Spec{Kind: Admin, Name: "ann"})
	k, _ := r.create(Spec{Kind: Read, Name: "bi", Expires: r.clock + 500})
	if left := r.Left(&k); left != 500*time.Millisecond || r.Left(&admin) < lifetimeMost {
		t.Errorf("%s left", left)
	}
	changed := r.Changed()
	select {
	case <-changed:
		t.Error("nothing has changed")
	default:
	}
	if _, err := r.Revoke(context.Background(), admin.ID, All()); err != nil {
		t.Fatal(err)
	}
	<-changed
	r.clock += 500
	if r.Left(&admin) != 0 || r.Left(&k) != 0 || r.Left(&Key{}) != 0 {
		t.Error("ended keys have time left")
	}
}

// An overlap never makes a key live longer than it would have.
func TestOverlapWithinLife(t *testing.T) {
	r := newRing(t)
	k, secret := r.create(Spec{Kind: Admin, Name: "ann", Expires: r.clock + 10})
	if _, _, err := r.Rotate(context.Background(), k.ID, time.Hour, All()); err != nil {
		t.Fatal(err)
	}
	r.clock += 10
	r.finds(secret, ErrExpired)
}

// K1: the store has no key, and only the hash.
func TestOnlyHashesAreStored(t *testing.T) {
	r := newRing(t)
	_, secret := r.create(Spec{Kind: Admin, Name: "ann"})
	hash, found := sha256.Sum256([]byte(secret)), false
	if err := r.store.Iterate([]byte{0}, []byte{0xff}, func(_, value []byte) error {
		found = found || bytes.Contains(value, hash[:])
		if bytes.Contains(value, []byte(secret[prefixLen:])) {
			t.Error("the store has the key")
		}
		return nil
	}); err != nil || !found {
		t.Errorf("the store has no hash of the key: %v", err)
	}
	if !strings.HasPrefix(secret, "ak_") || len(secret) != 55 || !Is(secret) {
		t.Errorf("key %q", secret)
	}
}

func TestUnknownKeys(t *testing.T) {
	r := newRing(t)
	_, secret := r.create(Spec{Kind: Admin, Name: "ann"})
	last := "a"
	if strings.HasSuffix(secret, last) {
		last = "b"
	}
	for _, other := range []string{"", "shop", secret[:54], secret + "a", "rk_" + secret[3:], secret[:54] + last, strings.ToUpper(secret), strings.Repeat("x", 55)} {
		r.finds(other, ErrUnknown)
	}
	r.finds(secret, nil)
}

func TestSpecs(t *testing.T) {
	r := newRing(t)
	r.create(Spec{Kind: Admin, Name: "ann"})
	_, key := r.create(Spec{Kind: Read, Name: "bi"})
	for _, c := range []struct {
		spec Spec
		by   Scope
		want error
		text string // in the error, or the scopes
	}{
		{Spec{Kind: Read, Name: "x"}, All(), nil, "profiles:read"},
		{Spec{Kind: Erase, Name: "x"}, All(), nil, "privacy:erase"},
		{Spec{Kind: Ops, Name: "x"}, All(), nil, "ops"},
		{Spec{Role: "viewer", Name: "x"}, All(), nil, "profiles:read"},
		{Spec{Role: "marketer", Name: "x"}, All(), nil, "profiles:read audiences:write"},
		{Spec{Role: "engineer", Name: "x"}, All(), nil, "events:write profiles:read ops"},
		{Spec{Role: "privacy", Name: "x"}, All(), nil, "profiles:read privacy:erase"},
		{Spec{Role: "admin", Name: "x"}, All(), nil, "events:write profiles:read graph:admin privacy:erase ops audiences:write"},
		{Spec{Kind: Read, Scopes: ReadProfiles | Operate, Name: "x"}, All(), nil, "profiles:read ops"},
		{Spec{Kind: "x", Name: "x"}, All(), ErrSpec, `kind "x"`},
		{Spec{Role: "x", Name: "x"}, All(), ErrSpec, `role "x"`},
		{Spec{Role: "viewer", Scopes: Operate, Name: "x"}, All(), ErrSpec, "one of both"},
		{Spec{Kind: Write, Scopes: WriteEvents | ReadProfiles, Name: "x"}, All(), ErrSpec, "write key"},
		{Spec{Kind: Write, Role: "engineer", Name: "x"}, All(), ErrSpec, "write key"},
		{Spec{Kind: Read, Name: "x", Source: "shop"}, All(), ErrSpec, "source"},
		{Spec{Kind: Read}, All(), ErrSpec, "name"},
		{Spec{Kind: Read, Name: "a\nb"}, All(), ErrSpec, "name"},
		{Spec{Kind: Read, Name: strings.Repeat("x", 65)}, All(), ErrSpec, "name"},
		{Spec{Kind: Read, Name: key}, All(), ErrSpec, "name"},
		{Spec{Kind: Write, Name: "x", Source: key}, All(), ErrSpec, "source"},
		{Spec{Kind: Read, Name: "x", PerSecond: -1}, All(), ErrSpec, "rate"},
		{Spec{Kind: Read, Name: "x", Expires: r.clock}, All(), ErrSpec, "expiry"},
		{Spec{Kind: Admin, Name: "x"}, AdministerGraph | ReadProfiles, ErrExceeds, "more than you may"},
		{Spec{Kind: Read, Name: "x"}, AdministerGraph | ReadProfiles, nil, "profiles:read"},
	} {
		k, _, err := r.Create(context.Background(), c.spec, c.by)
		got := k.Scopes.String()
		if err != nil {
			got = err.Error()
		}
		if !errors.Is(err, c.want) || !strings.Contains(got, c.text) {
			t.Errorf("%+v: %v, %q", c.spec, err, got)
		}
	}
	if _, err := ParseScopes([]string{"ops", "root"}); !errors.Is(err, ErrSpec) || !strings.Contains(err.Error(), `"root"`) {
		t.Error(err)
	}
	if s, err := ParseScopes(All().Names()); s != All() || err != nil {
		t.Error(s, err)
	}
}

// K4 holds for keys that exist, too.
func TestNobodyExceedsTheirScopes(t *testing.T) {
	r := newRing(t)
	admin, secret := r.create(Spec{Kind: Admin, Name: "ann"})
	ctx, by := context.Background(), AdministerGraph
	if _, err := r.Revoke(ctx, admin.ID, by); !errors.Is(err, ErrExceeds) {
		t.Errorf("revoked: %v", err)
	}
	if _, _, err := r.Rotate(ctx, admin.ID, 0, by); !errors.Is(err, ErrExceeds) {
		t.Errorf("rotated: %v", err)
	}
	r.finds(secret, nil)
}

// Find goes on while keys are made.
func TestFindWhileKeysChange(t *testing.T) {
	r := newRing(t)
	_, secret := r.create(Spec{Kind: Admin, Name: "ann"})
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for range 20 {
				k, s, err := r.Create(context.Background(), Spec{Kind: Write, Name: "shop"}, All())
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := r.Find(s); err != nil {
					t.Error(err)
				}
				if _, err := r.Revoke(context.Background(), k.ID, All()); err != nil {
					t.Error(err)
				}
				if _, err := r.Find(s); !errors.Is(err, ErrRevoked) {
					t.Error(err)
				}
			}
		})
	}
	for range 1000 {
		if _, err := r.Find(secret); err != nil {
			t.Error(err)
		}
	}
	group.Wait()
	if n := len(r.List()); n != 41 {
		t.Errorf("%d keys", n)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = r.Find(secret) }); n != 0 {
		t.Errorf("a look-up allocates %v times", n)
	}
}

// A text is shown without keys, and otherwise as it is.
func TestHide(t *testing.T) {
	key := newSecret(Write)
	for text, want := range map[string]string{
		`{"writeKey":"` + key + `","userId":"cus_1"}`: `{"writeKey":"(key)","userId":"cus_1"}`,
		key + " " + key:  "(key) (key)",
		key + "abc":      "(key)",
		key[:50]:         key[:50],
		"no key is here": "no key is here",
	} {
		if got := Hide(text); got != want {
			t.Errorf("%s is shown as %s, want %s", text, got, want)
		}
	}
}

// Marketers define audiences and operate nothing; keys that operate may define them, as before that had a permission of its own.
func TestDefiningAudiences(t *testing.T) {
	marketer, err := Role("marketer").Scopes()
	if err != nil || !marketer.Has(DefineAudiences|ReadProfiles) || marketer.Has(Operate) {
		t.Errorf("a marketer has %s: %v", marketer, err)
	}
	if !Operate.Has(DefineAudiences) || ReadProfiles.Has(DefineAudiences) || DefineAudiences.Has(Operate) {
		t.Error("the permission to define audiences is that of the wrong keys")
	}
}
