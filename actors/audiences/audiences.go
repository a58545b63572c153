// Package audiences keeps what the deployment's audiences and computed traits are: versions of their definitions, in the catalog.
//
//	Define ──► a new version: its signals are numbered ──► intake marks by it, shards fill from stored events
//	                                                           │ all have
//	           the new audiences serve ◄── Filled ◄────────────┘
//
// Invariants:
//   - D1: a version is written once, and its number is never used again; nor is that of a signal.
//   - D2: what serves rests on signals that are filled: on all events, whether they came before the definition or after it.
//   - D3: a definition that is wrong changes nothing.
//   - D4: every change raises the edition: of two states of a deployment the one with the lower edition came first.
package audiences

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/kindred-id/kindred/actors/signals"
	"github.com/kindred-id/kindred/graph/audience"
	"github.com/kindred-id/kindred/graph/signal"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// WaitingMax bounds the versions that wait for stored events to be looked through.
const WaitingMax = 64

// ErrWaiting is returned for a definition while too many versions wait.
var ErrWaiting = fmt.Errorf("audiences: %d changes wait for stored events to be looked through; define again once some are done", WaitingMax)

// State is what is defined. It never changes, and any number of goroutines may use it. Nil is a deployment that never had an
// audience.
type State struct {
	row.Definitions
	Newest  *audience.Catalog
	Serving *audience.Catalog // Newest, once that is filled
	Signals *signals.Definitions
	Live    *Live // Serving, ready to be evaluated beside the shards
}

// Load reads what is defined; nil if nothing ever was.
func Load(s storage.Reader) (*State, error) {
	d, err := row.ReadDefinitions(s)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return Compile(d)
}

// Compile prepares stored definitions.
func Compile(d row.Definitions) (*State, error) {
	s := &State{Definitions: d}
	index, err := s.catalogs()
	if err == nil {
		s.Signals, err = signals.New(d.Version, index, d.Signals)
	}
	if err != nil {
		return nil, fmt.Errorf("audiences of version %d: %w", d.Version, err)
	}
	s.Live = newLive(s)
	return s, nil
}

// catalogs prepares the audiences, and returns the signals of all.
func (s *State) catalogs() (index *signal.Index, err error) {
	if s.Newest, err = catalogOf(s.Definitions.Newest, s.Definitions.Traits); err != nil {
		return nil, err
	}
	if s.Serving = s.Newest; s.Filled == s.Version {
		return s.Newest.Signals(), nil
	}
	if s.Serving, err = catalogOf(s.Definitions.Serving, s.Definitions.ServingTraits); err != nil {
		return nil, err
	}
	var all []signal.Definition
	for _, c := range []*audience.Catalog{s.Newest, s.Serving} {
		for _, id := range c.Signals().Signals() {
			d, _ := c.Signals().Definition(id)
			all = append(all, d)
		}
	}
	return signal.NewIndex(all)
}

func catalogOf(list []row.DefinedAudience, traits []row.DefinedTrait) (*audience.Catalog, error) {
	definitions, err := parse(list)
	if err != nil {
		return nil, err
	}
	computed, err := parseTraits(traits)
	if err != nil {
		return nil, err
	}
	return audience.NewCatalog(definitions, computed...)
}

func parseTraits(list []row.DefinedTrait) ([]audience.ComputedTrait, error) {
	traits := make([]audience.ComputedTrait, len(list))
	for i, t := range list {
		of, err := audience.ParseExpression([]byte(t.Of))
		if err != nil {
			return nil, fmt.Errorf("computed trait %s: %w", t.Key, err)
		}
		traits[i] = audience.ComputedTrait{Key: t.Key, Of: of}
	}
	return traits, nil
}

func parse(list []row.DefinedAudience) ([]audience.Definition, error) {
	definitions := make([]audience.Definition, len(list))
	for i, a := range list {
		where, err := audience.Parse([]byte(a.Where))
		if err != nil {
			return nil, fmt.Errorf("audience %s: %w", a.Key, err)
		}
		definitions[i] = audience.Definition{Key: a.Key, Where: where}
	}
	return definitions, nil
}

// Parsed returns the audiences of the newest version, by key; none of nil.
func (s *State) Parsed() ([]audience.Definition, error) {
	if s == nil {
		return nil, nil
	}
	return parse(s.Definitions.Newest)
}

// ParsedTraits returns the computed traits of the newest version, by key; none of nil.
func (s *State) ParsedTraits() ([]audience.ComputedTrait, error) {
	if s == nil {
		return nil, nil
	}
	return parseTraits(s.Definitions.Traits)
}

// serving are the audiences that serve. REQUIRES: s is not nil
func (s *State) serving() []row.DefinedAudience {
	if s.Filled == s.Version {
		return s.Definitions.Newest
	}
	return s.Definitions.Serving
}

// servingTraits are the computed traits that serve. REQUIRES: s is not nil
func (s *State) servingTraits() []row.DefinedTrait {
	if s.Filled == s.Version {
		return s.Definitions.Traits
	}
	return s.Definitions.ServingTraits
}

// Number returns the number of an audience that serves; false of nil.
func (s *State) Number(key string) (uint32, bool) {
	if s == nil {
		return 0, false
	}
	i, ok := s.Serving.Find(key)
	if !ok {
		return 0, false
	}
	return s.Live.numbers[i], true
}

// Edition orders the states of a deployment; 0 of nil. None of the numbers that it adds up ever falls.
func (s *State) Edition() uint64 {
	if s == nil {
		return 0
	}
	return s.Version + s.Filled + s.Served + s.Told
}

// AllTold reports whether everybody was evaluated by the audiences that serve; not of nil, which has none.
func (s *State) AllTold() bool { return s != nil && s.Told == s.Served }

// Next is the version after s with other audiences, and the same computed traits. Audiences with unchanged conditions go on as they are.
func (s *State) Next(definitions []audience.Definition) (*State, error) {
	next, err := s.after()
	if err != nil {
		return nil, err
	}
	next.Definitions.Newest = nil
	keys := s.numbers()
	for _, d := range definitions {
		where, err := d.Where.MarshalJSON()
		if err == nil {
			err = checkLeaves(d.Key, d.Where)
		}
		if err != nil {
			return nil, err
		}
		number, ok := keys[d.Key]
		if !ok {
			number = next.NextAudience
			next.NextAudience++
		}
		next.Definitions.Newest = append(next.Definitions.Newest, row.DefinedAudience{Number: number, Key: d.Key, Where: string(where)})
	}
	slices.SortFunc(next.Definitions.Newest, func(a, b row.DefinedAudience) int { return cmp.Compare(a.Key, b.Key) })
	return next.complete(s)
}

// NextTraits is the version after s with other computed traits, and the same audiences.
func (s *State) NextTraits(traits []audience.ComputedTrait) (*State, error) {
	next, err := s.after()
	if err != nil {
		return nil, err
	}
	next.Definitions.Traits = nil
	for _, t := range traits {
		of, err := t.Of.MarshalJSON()
		if err != nil {
			return nil, err
		}
		next.Definitions.Traits = append(next.Definitions.Traits, row.DefinedTrait{Key: t.Key, Of: string(of)})
	}
	slices.SortFunc(next.Definitions.Traits, func(a, b row.DefinedTrait) int { return cmp.Compare(a.Key, b.Key) })
	return next.complete(s)
}

// after is the version after s with the same definitions, whose signals have no numbers yet.
func (s *State) after() (*State, error) {
	next := &State{}
	if s != nil {
		next.Definitions = s.Definitions
		next.Definitions.Signals = nil
		next.Definitions.Serving, next.Definitions.ServingTraits = s.serving(), s.servingTraits()
	}
	if next.Version++; next.Version-next.Filled > WaitingMax {
		return nil, ErrWaiting
	}
	return next, nil
}

// complete gives the signals of a version their numbers, and notes what has gone since the one before.
func (s *State) complete(before *State) (*State, error) {
	known := map[signal.ID]row.NumberedSignal{}
	if before != nil {
		for _, n := range before.Definitions.Signals {
			known[n.ID] = n
		}
	}
	s.gone(before)
	index, err := s.catalogs()
	if err != nil {
		return nil, err
	}
	s.number(index, known)
	return Compile(s.Definitions)
}

// numbers are those of the audiences that are defined, or still serve, or were deleted and not everybody was told. One that comes back
// before that goes on: a new number under its key would tell people that they entered what they had not left.
func (s *State) numbers() map[string]uint32 {
	keys := map[string]uint32{}
	if s != nil {
		for _, g := range s.Gone {
			keys[g.Key] = g.Number
		}
		for _, list := range [][]row.DefinedAudience{s.Definitions.Serving, s.Definitions.Newest} {
			for i := range list {
				keys[list[i].Key] = list[i].Number
			}
		}
	}
	return keys
}

// gone notes the audiences of before that are no more: people are told that they left them.
func (s *State) gone(before *State) {
	if before == nil {
		return
	}
	gone := slices.Clone(before.Gone)
	for _, a := range before.Definitions.Newest {
		gone = append(gone, row.NamedAudience{Number: a.Number, Key: a.Key})
	}
	s.Gone = slices.DeleteFunc(gone, func(g row.NamedAudience) bool {
		return slices.ContainsFunc(s.Definitions.Newest, func(a row.DefinedAudience) bool { return a.Number == g.Number })
	})
}

// checkLeaves refuses conditions that nothing can answer yet.
func checkLeaves(key string, n *audience.Node) error {
	if n.Kind == audience.Score {
		return fmt.Errorf("audience %s: condition %s reads the score %q, and conditions can't read scores yet; take it out", key, n.ID, n.Value.Path)
	}
	for _, child := range n.Children {
		if err := checkLeaves(key, child); err != nil {
			return err
		}
	}
	return nil
}

// number gives each signal the number that it has, or a new one. A version without new signals has nothing to fill.
func (s *State) number(index *signal.Index, known map[signal.ID]row.NumberedSignal) {
	fresh := false
	for _, id := range index.Signals() {
		n, ok := known[id]
		if !ok {
			n, fresh = row.NumberedSignal{ID: id, Number: s.Definitions.Next, Since: s.Version}, true
			s.Definitions.Next++
		}
		s.Definitions.Signals = append(s.Definitions.Signals, n)
	}
	slices.SortFunc(s.Definitions.Signals, func(a, b row.NumberedSignal) int { return cmp.Compare(a.Number, b.Number) })
	if !fresh && s.Filled == s.Version-1 {
		s.fill(s.Version)
	}
}

// Fill is s once everything up to a version is filled.
func (s *State) Fill(version uint64) (*State, error) {
	next := &State{Definitions: s.Definitions, Newest: s.Newest}
	next.fill(version)
	return Compile(next.Definitions)
}

func (s *State) fill(version uint64) {
	if s.Filled = max(s.Filled, version); s.Filled < s.Version {
		return
	}
	s.Definitions.Serving, s.Definitions.ServingTraits, s.Served = nil, nil, s.Version
	s.Definitions.Signals = slices.DeleteFunc(slices.Clone(s.Definitions.Signals), func(n row.NumberedSignal) bool {
		_, read := s.Newest.Signals().Definition(n.ID)
		return !read
	})
}

// Tell is s once all people were evaluated by the audiences of a version that serves.
func (s *State) Tell(version uint64) (*State, error) {
	next := s.Definitions
	if next.Told = max(next.Told, version); next.Told == next.Version {
		next.Gone = nil
	}
	return Compile(next)
}

// ServesTrait reports whether a computed trait of the newest version serves as it is there.
func (s *State) ServesTrait(t *row.DefinedTrait) bool {
	return s.Filled == s.Version || slices.Contains(s.Definitions.ServingTraits, *t)
}

// Serves reports whether an audience of the newest version serves with the conditions that it has there.
func (s *State) Serves(a *row.DefinedAudience) bool {
	return s.Filled == s.Version || slices.Contains(s.Definitions.Serving, *a)
}
