package rulesfile

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/internal/yamlfile"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/graph/score"
)

// aliasKey is the key of the rule about aliases. Every stored text of rules has it, except one written by a program that
// did not have the rule yet.
const aliasKey = "alias"

// topLevel stands for the file as a whole where a key is expected.
const topLevel = "rules"

// A decoder reads a rules file, key by key, into a File.
type decoder struct{ *yamlfile.Decoder }

var keys = []string{
	"extends", "name", "order", aliasKey, "limits", "generic", "caps", "namespaces", "identifiers", "blocked",
	regionKey, currencyKey, assumedKey, "sources", "sources_apart", "context", "times", "scores",
}

// empty returns the base of a file that extends no preset: no limits and no generic values, but the default caps, since
// caps cannot be switched off.
func empty() *File {
	defaults := graph.DefaultRules()
	return &File{
		Rules:      &graph.Rules{MaxIdentity: defaults.MaxIdentity, MaxMembers: defaults.MaxMembers, MaxLinks: defaults.MaxLinks},
		Identifier: identifier.Config{Region: identifier.DefaultRegion},
		Currency:   defaultCurrency,
		Assumed:    Assumed{Region: true, Currency: true},
		Context:    defaultContext(),
		Times:      defaultTimes,
		Scores:     score.Terms{}.WithDefaults(),
	}
}

// file reads a whole file. The order of the calls matters: keys that name namespaces are read after the key that defines
// them.
func (d decoder) file(root *yamlfile.Node) *File {
	f := empty()
	if root == nil {
		return f
	}
	fields := d.Fields(root, topLevel, keys...)
	if n := fields["extends"]; n != nil {
		f = d.extends(n)
	}
	for _, part := range []struct {
		key  string
		read func(f *File, n *yamlfile.Node, key string)
	}{
		{"name", d.name},
		{"order", d.order},
		{aliasKey, d.alias},
		{"generic", d.generic},
		{"caps", d.caps},
		{"namespaces", d.namespaces},
		{"limits", d.limits},
		{"identifiers", d.paths},
		{regionKey, d.region},
		{"blocked", d.blocked},
		{currencyKey, d.currency},
		{assumedKey, d.assumed},
		{"sources", d.sources},
		{"sources_apart", d.sourcesApart},
		{"context", d.context},
		{"times", d.times},
		{"scores", d.scores},
	} {
		if n := fields[part.key]; n != nil {
			part.read(f, n, part.key)
		}
	}
	return f
}

// extends returns the preset to begin with, without its name.
func (d decoder) extends(n *yamlfile.Node) *File {
	name, ok := d.Text(n, "extends")
	if !ok {
		return empty()
	}
	if !slices.Contains(Presets(), name) {
		d.Fail(n, "extends", "unknown preset %q; presets are %s", name, presetList())
		return empty()
	}
	f := preset(name)
	f.Rules.Name = ""
	return f
}

// name reads the name of the rules. It is not inherited: rules without one are named by the path of their file.
func (d decoder) name(f *File, n *yamlfile.Node, key string) {
	if name, ok := d.Text(n, key); ok {
		f.Rules.Name = name
	}
}

// order reads which of two links wins where a limit has room for one.
func (d decoder) order(f *File, n *yamlfile.Node, key string) {
	switch order, ok := d.Text(n, key); {
	case !ok:
	case order == "keep_first":
		f.Rules.Precedence = graph.KeepFirst
	case order == "latest_wins":
		f.Rules.Precedence = graph.LatestWins
	default:
		d.Fail(n, key, "unknown order %q; want keep_first or latest_wins", order)
	}
}

// alias reads whether an alias may join two customers beyond the limit of their namespace.
func (d decoder) alias(f *File, n *yamlfile.Node, key string) {
	rule, ok := d.Text(n, key)
	if !ok {
		return
	}
	if f.Rules.Alias, ok = graph.ParseAliasRule(rule); !ok {
		d.Fail(n, key, "unknown rule %q; want merges or refused", rule)
	}
}

func (d decoder) generic(f *File, n *yamlfile.Node, key string) {
	fields := d.Fields(n, key, "customers", "neighbours")
	d.set(&f.Rules.GenericCustomers, fields, key, "customers", 0)
	d.set(&f.Rules.GenericNeighbours, fields, key, "neighbours", 0)
}

// linksPerIdentifier is the default ratio of hosted links to hosted identifiers.
const linksPerIdentifier = 10

// caps reads the caps. The cap of hosted identifiers has room for at least one person of the largest size.
func (d decoder) caps(f *File, n *yamlfile.Node, key string) {
	fields := d.Fields(n, key, "identifiers", "hosted", "links")
	r := f.Rules
	d.set(&r.MaxIdentity, fields, key, "identifiers", 2)
	if fields["hosted"] != nil {
		d.set(&r.MaxMembers, fields, key, "hosted", 2)
		r.MaxLinks = linksPerIdentifier * r.MaxMembers
	} else {
		raiseHosted(r)
	}
	d.set(&r.MaxLinks, fields, key, "links", 1)
}

// raiseHosted raises the caps of hosted identifiers and links to their defaults, and to the size of one person.
func raiseHosted(r *graph.Rules) {
	r.MaxMembers = max(r.MaxMembers, r.MaxIdentity, graph.DefaultRules().MaxMembers)
	r.MaxLinks = max(r.MaxLinks, linksPerIdentifier*r.MaxMembers)
}

// set sets a number if key.sub is given.
func (d decoder) set(to *int, fields map[string]*yamlfile.Node, key, sub string, least int) {
	if n := fields[sub]; n != nil {
		if v, ok := d.Number(n, yamlfile.Join(key, sub), least); ok {
			*to = v
		}
	}
}

// namespaces reads the namespaces beside the default ones. A list replaces the one that was inherited as a whole, and
// a namespace with a problem is left out, so that one problem is reported once.
func (d decoder) namespaces(f *File, n *yamlfile.Node, key string) {
	f.Identifier.Namespaces = nil
	for _, e := range d.Entries(n, key) {
		at := yamlfile.Join(key, e.Key)
		fields := d.Fields(e.Node, at, "class", "normalise")
		if fields["class"] == nil {
			d.Fail(e.Where, at, "no class; want class: customer, contact, device or cookie")
			continue
		}
		name, ok := d.Text(fields["class"], yamlfile.Join(at, "class"))
		if !ok {
			continue
		}
		class, err := graph.ParseClass(name)
		if err != nil {
			d.Fail(fields["class"], at, "%w", err)
			continue
		}
		normaliser := string(graph.NormaliseTrim)
		if fields["normalise"] != nil {
			if normaliser, ok = d.Text(fields["normalise"], yamlfile.Join(at, "normalise")); !ok {
				continue
			}
		}
		ns := graph.Namespace{Name: e.Key, Class: class, Normaliser: graph.Normaliser(normaliser)}
		if d.accepts(e.Where, key, identifier.Config{Namespaces: []graph.Namespace{ns}}) {
			f.Identifier.Namespaces = append(f.Identifier.Namespaces, ns)
		}
	}
}

// accepts reports whether package identifier accepts one part of the configuration. Checking part by part gives each error
// a line number.
func (d decoder) accepts(n *yamlfile.Node, key string, cfg identifier.Config) bool {
	if _, err := identifier.New([16]byte{}, cfg); err != nil {
		d.Fail(n, key, "%w", err)
		return false
	}
	return true
}

// known lists all namespaces: the default ones, then those of the file, by name.
func (f *File) namespaces() []string {
	var own, names []string
	for _, ns := range graph.DefaultNamespaces() {
		names = append(names, ns.Name)
	}
	for _, ns := range f.Identifier.Namespaces {
		if !slices.Contains(names, ns.Name) {
			own = append(own, ns.Name)
		}
	}
	slices.Sort(own)
	return append(names, own...)
}

// isKnown reports whether the namespace exists, and otherwise records an error.
func (d decoder) isKnown(f *File, n *yamlfile.Node, key, namespace string) bool {
	if known := f.namespaces(); !slices.Contains(known, namespace) {
		d.Fail(n, key, "unknown namespace %q; known: %s; add your own under namespaces", namespace, strings.Join(known, ", "))
		return false
	}
	return true
}

// limits merges the limits of the file into those of its base, and sorts them in the order of the namespaces, so that equal
// limits are equal rules however they were combined.
func (d decoder) limits(f *File, n *yamlfile.Node, key string) {
	limits := f.Rules.Limits
	for _, e := range d.Entries(n, key) {
		at := yamlfile.Join(key, e.Key)
		if !d.isKnown(f, e.Where, at, e.Key) {
			continue
		}
		limits = slices.DeleteFunc(limits, func(l graph.Limit) bool { return l.Namespace == e.Key })
		if limit, ok := d.limit(e.Node, at); ok {
			limit.Namespace = e.Key
			limits = append(limits, limit)
		}
	}
	known := f.namespaces()
	slices.SortFunc(limits, func(a, b graph.Limit) int {
		return cmp.Compare(slices.Index(known, a.Namespace), slices.Index(known, b.Namespace))
	})
	f.Rules.Limits = limits
}

// limit reads a number, {max, within}, or none.
func (d decoder) limit(n *yamlfile.Node, key string) (l graph.Limit, ok bool) {
	switch {
	case yamlfile.IsMapping(n):
		fields := d.Fields(n, key, "max", "within")
		if fields["max"] == nil {
			d.Fail(n, key, "no max; want {max: 5, within: 7d}")
			return l, false
		}
		if l.Max, ok = d.Number(fields["max"], yamlfile.Join(key, "max"), 1); !ok {
			return l, false
		}
		if within := fields["within"]; within != nil {
			l.Within, ok = d.window(within, yamlfile.Join(key, "within"))
		}
		return l, ok
	case yamlfile.IsScalar(n) && n.ShortTag() == "!!int":
		l.Max, ok = d.Number(n, key, 1)
		return l, ok
	case yamlfile.IsScalar(n) && n.Value == "none":
		return l, false
	}
	d.Fail(n, key, "want a number of 1 or more, {max: 5, within: 7d}, or none; got %s", yamlfile.Describe(n))
	return l, false
}
