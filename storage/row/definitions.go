package row

import (
	"github.com/kindred-id/kindred/graph/signal"
	"github.com/kindred-id/kindred/storage"
)

// Definitions is the row of the deployment's audiences, and of the signals that they read. Its version counts the changes.
//
// A change is in force for intake at once, and serves once every shard has looked through its stored events: until then the
// audiences of before serve.
type Definitions struct {
	Version uint64 // of Newest
	Filled  uint64 // the version for which all stored events were looked through last; at most Version
	Next    uint32 // number of the next new signal
	Signals []NumberedSignal
	Newest  []DefinedAudience
	// Serving are the audiences that serve while Filled is below Version; then they are the newest.
	Serving []DefinedAudience
	Served  uint64 // the version of those that serve
	Told    uint64 // the one by which all people were evaluated last; at most Served
	// NextAudience is the number of the next new audience, and Gone are those that were deleted and of which people may have to be
	// told yet that they left them.
	NextAudience uint32
	Gone         []NamedAudience
	// Traits are the computed traits of Version, by key, and ServingTraits those that serve while Filled is below it.
	Traits, ServingTraits []DefinedTrait
}

// NamedAudience is an audience that is no more.
type NamedAudience struct {
	Number uint32
	Key    string
}

// NumberedSignal is a signal that an audience reads. The audience says what it is of.
type NumberedSignal struct {
	ID     signal.ID
	Number uint32
	Since  uint64 // the version that brought it
}

// DefinedAudience is an audience as it is stored.
type DefinedAudience struct {
	Number uint32 // in its deployment; a number is never used again
	Key    string
	Where  string // a tree of conditions, as JSON
}

// DefinedTrait is a computed trait as it is stored.
type DefinedTrait struct {
	Key string
	Of  string // what is measured, as JSON
}

const definitionsRow = 6 // in spaceDeployment

var definitionsKind = &kind{
	space: spaceDeployment, row: definitionsRow, name: "definitions", group: "deployment",
	about:   "one row: audiences, and the signals that they read",
	catalog: true,
	check:   parses[Definitions]("definitions"),
}

// appendDefinitionsKey appends the key of the row of audiences.
func appendDefinitionsKey(b []byte) []byte { return append(b, byte(spaceDeployment), definitionsRow) }

const (
	definitionsFields  = 12
	definitionsV2      = 10
	definitionsV1      = 6
	definedTraitFields = 2

	// definitionsWithoutTraits is the version of a row without computed traits: programs that know none write and read it.
	definitionsWithoutTraits = 2
	numberedSignalFields     = 3
	definedAudienceFields    = 3
	definedAudienceV1        = 2
	namedAudienceFields      = 2
	definitionsWhereLeast    = 2 // bytes
	definitionsSignalLeast   = 3
)

func (d *Definitions) encode(out *writer) {
	traits := len(d.Traits) > 0 || len(d.ServingTraits) > 0
	if traits {
		out.start(definitionsVersion)
		out.array(definitionsFields)
	} else {
		out.start(definitionsWithoutTraits)
		out.array(definitionsV2)
	}
	out.uint(d.Version)
	out.uint(d.Filled)
	out.uint(uint64(d.Next))
	out.array(numberedSignalFields * len(d.Signals))
	for i := range d.Signals {
		s := &d.Signals[i]
		out.uint(uint64(s.ID))
		out.uint(uint64(s.Number))
		out.uint(s.Since)
	}
	for _, list := range [][]DefinedAudience{d.Newest, d.Serving} {
		out.array(definedAudienceFields * len(list))
		for i := range list {
			out.uint(uint64(list[i].Number))
			out.text(list[i].Key)
			out.text(list[i].Where)
		}
	}
	out.uint(d.Served)
	out.uint(d.Told)
	out.uint(uint64(d.NextAudience))
	out.array(namedAudienceFields * len(d.Gone))
	for i := range d.Gone {
		out.uint(uint64(d.Gone[i].Number))
		out.text(d.Gone[i].Key)
	}
	if !traits {
		return
	}
	for _, list := range [][]DefinedTrait{d.Traits, d.ServingTraits} {
		out.array(definedTraitFields * len(list))
		for i := range list {
			out.text(list[i].Key)
			out.text(list[i].Of)
		}
	}
}

func (d *Definitions) decode(in *reader) {
	version := in.version(definitionsVersion)
	fields, audience := definitionsFields, definedAudienceFields
	switch version {
	case 1:
		fields, audience = definitionsV1, definedAudienceV1
	case definitionsWithoutTraits:
		fields = definitionsV2
	}
	in.tuple(fields)
	at := in.at
	*d = Definitions{Version: in.uint(), Filled: in.uint(), Next: in.uint32()}
	if in.err == nil && (d.Version == 0 || d.Filled > d.Version) {
		in.fail(at, "definitions of version %d, filled up to %d", d.Version, d.Filled)
	}
	if n := in.list(numberedSignalFields, definitionsSignalLeast); n > 0 {
		d.Signals = make([]NumberedSignal, n)
	}
	for i := range d.Signals {
		at := in.at
		s := NumberedSignal{ID: signal.ID(in.uint()), Number: in.uint32(), Since: in.uint()}
		if in.err == nil && (s.Number >= d.Next || s.Since == 0 || s.Since > d.Version || i > 0 && d.Signals[i-1].Number >= s.Number) {
			in.fail(at, "signal %d of number %d, since version %d", i, s.Number, s.Since)
		}
		d.Signals[i] = s
	}
	for _, list := range []*[]DefinedAudience{&d.Newest, &d.Serving} {
		if n := in.list(audience, definitionsWhereLeast); n > 0 {
			*list = make([]DefinedAudience, n)
		}
		for i := range *list {
			a := &(*list)[i]
			if version > 1 {
				a.Number = in.uint32()
			}
			a.Key, a.Where = in.text(), in.text()
		}
	}
	if version == 1 {
		d.numberFormer()
		return
	}
	at = in.at
	d.Served, d.Told, d.NextAudience = in.uint(), in.uint(), in.uint32()
	if in.err == nil && (d.Served > d.Version || d.Told > d.Served) {
		in.fail(at, "audiences of version %d serve, and of version %d were told", d.Served, d.Told)
	}
	if n := in.list(namedAudienceFields, definitionsWhereLeast); n > 0 {
		d.Gone = make([]NamedAudience, n)
	}
	for i := range d.Gone {
		d.Gone[i] = NamedAudience{Number: in.uint32(), Key: in.text()}
	}
	for _, list := range [][]DefinedAudience{d.Newest, d.Serving} {
		for i := range list {
			if in.err == nil && list[i].Number >= d.NextAudience {
				in.fail(at, "audience %d of number %d", i, list[i].Number)
			}
		}
	}
	if version > definitionsWithoutTraits {
		at = in.at
		d.Traits, d.ServingTraits = in.definedTraits(), in.definedTraits()
		if in.err == nil && len(d.Traits)+len(d.ServingTraits) == 0 {
			in.fail(at, "version %d without computed traits", version)
		}
	}
}

func (in *reader) definedTraits() (list []DefinedTrait) {
	if n := in.list(definedTraitFields, definitionsWhereLeast); n > 0 {
		list = make([]DefinedTrait, n)
	}
	for i := range list {
		list[i] = DefinedTrait{Key: in.text(), Of: in.text()}
	}
	return list
}

// numberFormer gives audiences that were defined before they had numbers the numbers that every program gives them. Nobody was told
// of them.
func (d *Definitions) numberFormer() {
	if d.Served = d.Version; d.Filled < d.Version {
		d.Served = d.Filled
	}
	numbers := map[string]uint32{}
	for _, list := range [][]DefinedAudience{d.Serving, d.Newest} {
		for i := range list {
			n, ok := numbers[list[i].Key]
			if !ok {
				n, numbers[list[i].Key] = d.NextAudience, d.NextAudience
				d.NextAudience++
			}
			list[i].Number = n
		}
	}
}

// Put writes the row of definitions. REQUIRES: 1 <= d.Version, d.Filled <= d.Version, signals by number
func (d *Definitions) Put(b *storage.Batch) { b.Set(appendDefinitionsKey(nil), appendValue(nil, d)) }

// ReadDefinitions reads the row of definitions. It fails with ErrNotFound if the deployment never had an audience.
func ReadDefinitions(s storage.Reader) (Definitions, error) {
	value, err := s.Get(nil, appendDefinitionsKey(nil))
	if err != nil {
		return Definitions{}, err
	}
	d, err := parse[Definitions]("definitions", value)
	if err != nil {
		return d, storage.Corrupt("read", "definitions row", err)
	}
	return d, nil
}
