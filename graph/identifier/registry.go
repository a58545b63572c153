package identifier

import (
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"github.com/kindred-id/kindred/graph"
)

// DefaultRegion is the region of a phone number that names none.
const DefaultRegion = "US"

// Config is what a deployment adds to the default namespaces and blocked values. The zero value
// adds nothing.
//
// Namespaces, Region and the normalisers decide the key of a node: a change of them for a
// deployment that holds data no longer finds what was stored under the old form.
type Config struct {
	// Namespaces stand beside graph.DefaultNamespaces. A default one may be repeated as it is, not changed.
	Namespaces []graph.Namespace
	// Region is where a phone number without a country code belongs: ISO 3166, two letters.
	// Empty is DefaultRegion.
	Region string
	// Blocked are values that stand for nobody, whatever their case: "value" in every namespace, or
	// "namespace:value" in one. Of the latter any form will do that the namespace normalises.
	Blocked []string
	// BlockedPatterns are RE2 expressions. A normalised value in which one matches is blocked,
	// whatever the namespace. They are not anchored, and case matters: write (?i)^…$ to match whole values in any case.
	BlockedPatterns []string
	// Allowed are values, written as in Blocked, that the built-in words do not block here.
	Allowed []string
	// PlainKeys keys an address and a phone number by its text, as older deployments do: there a value and its SHA-256 are
	// two identifiers. Otherwise they are one identifier with two names.
	PlainKeys bool
}

// Registry holds the namespaces of a deployment, the values that it blocks, and the secret that keys
// its hashes. It never changes, and any number of goroutines may use it.
type Registry struct {
	secret     hashKey
	seen       hashKey
	group      hashKey
	namespaces map[string]*Namespace
	names      []string // in the order of registration
	region     string
	home       numberRegion // of the region
	patterns   []*regexp.Regexp
	plainKeys  bool
}

// New makes a registry. The secret must be that of the deployment: the keys of all nodes depend on it.
// The error names every problem of the configuration.
func New(secret [16]byte, cfg Config) (*Registry, error) {
	r := &Registry{
		secret:     hashKey{binary.LittleEndian.Uint64(secret[:8]), binary.LittleEndian.Uint64(secret[8:])},
		namespaces: make(map[string]*Namespace),
		region:     strings.ToUpper(cfg.Region),
		plainKeys:  cfg.PlainKeys,
	}
	r.seen, r.group = r.secret.derive("seen"), r.secret.derive("group")
	errs := r.register(cfg.Namespaces)
	for _, ns := range r.namespaces {
		if plain := r.namespaces[graph.PlainNamespace(ns.Name)]; plain != ns && plain != nil {
			plain.hashed, ns.hashes = ns, true
		}
	}
	if r.region == "" {
		r.region = DefaultRegion
	}
	if !phonenumbers.GetSupportedRegions()[r.region] {
		errs = append(errs, fmt.Errorf("phone region %q: want an ISO 3166 country code of two letters, such as US or DE", cfg.Region))
	}
	r.home = numberRegions[r.region]
	for _, text := range cfg.BlockedPatterns {
		pattern, err := regexp.Compile(text)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("blocked pattern %q: want RE2 syntax: %w", text, err))
		case pattern.MatchString(""):
			errs = append(errs, fmt.Errorf("blocked pattern %q: matches the empty string, so it would block every value", text))
		default:
			r.patterns = append(r.patterns, pattern)
		}
	}
	if len(errs) == 0 { // values are normalised, so what normalises them must be in order
		for _, value := range cfg.Blocked {
			if err := r.block(value); err != nil {
				errs = append(errs, err)
			}
		}
		for _, value := range cfg.Allowed {
			if err := r.allow(value); err != nil {
				errs = append(errs, err)
			}
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return r, nil
}

// register registers the default namespaces, then more.
func (r *Registry) register(more []graph.Namespace) (errs []error) {
	defaults := graph.DefaultNamespaces()
	for i, n := range slices.Concat(defaults, more) {
		old := r.namespaces[n.Name]
		isDefault := old != nil && slices.ContainsFunc(defaults, func(d graph.Namespace) bool { return d.Name == n.Name })
		switch {
		case isDefault && old.Namespace == n:
			continue
		case isDefault && old.Class != n.Class:
			errs = append(errs, fmt.Errorf("namespace %q: class %s: a default namespace keeps its class, which is %s", n.Name, n.Class, old.Class))
			continue
		case isDefault:
			errs = append(errs, fmt.Errorf("namespace %q: normaliser %q: a default namespace keeps its normaliser, which is %q", n.Name, n.Normaliser, old.Normaliser))
			continue
		case old != nil:
			errs = append(errs, fmt.Errorf("namespace %q: registered twice", n.Name))
			continue
		}
		ns, err := newNamespace(n)
		if err != nil {
			if i < len(defaults) {
				panic(err) // a bug: the defaults are our own
			}
			errs = append(errs, err)
			continue
		}
		r.namespaces[n.Name] = ns
		r.names = append(r.names, n.Name)
	}
	return errs
}

// Namespace returns the namespace of a name; nil if no namespace has it.
func (r *Registry) Namespace(name []byte) *Namespace { return r.namespaces[string(name)] }

// Namespaces lists the namespaces: the default ones first, then those of the configuration.
func (r *Registry) Namespaces() []graph.Namespace {
	list := make([]graph.Namespace, len(r.names))
	for i, name := range r.names {
		list[i] = r.namespaces[name].Namespace
	}
	return list
}
