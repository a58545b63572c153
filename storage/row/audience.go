package row

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// spaceAudience holds who is in which audience: all rows of it are written in the batch of the step that changes them.
const spaceAudience Space = 0x0e

// The rows in it.
const (
	toldRow           = 1
	audienceMemberRow = 2
	audienceCountRow  = 3
	wakeRow           = 4
	tellingRow        = 5
)

var (
	audienceField = field{"audience", 4}
	dueField      = field{"due", 8}
	identityField = field{"identity", 16}
)

var toldKind = &kind{
	space: spaceAudience, row: toldRow, name: "told", group: "audience",
	key:   []field{shardField, nodeField},
	about: "one row a root whose identities are in audiences, or will be",
	check: parses[toldValue]("told"),
}

var audienceMemberKind = &kind{
	space: spaceAudience, row: audienceMemberRow, name: "audience member", group: "audience",
	key:   []field{shardField, audienceField, identityField},
	about: "one row an identity in an audience: since when",
	check: parses[memberSince]("audience member"),
}

var audienceCountKind = &kind{
	space: spaceAudience, row: audienceCountRow, name: "audience count", group: "audience",
	key:   []field{shardField, audienceField},
	about: "one row an audience: how many identities of the shard are in it",
	check: parses[audienceCount]("audience count"),
}

var wakeKind = &kind{
	space: spaceAudience, row: wakeRow, name: "wake", group: "audience",
	key:   []field{shardField, dueField, nodeField},
	about: "one row a root at most: when its audiences may change without an event",
	checkKey: func(key []byte) error {
		if due := binary.BigEndian.Uint64(key[4:]); due == 0 || due >= math.MaxInt64 {
			return fmt.Errorf("due at %d", due)
		}
		return nil
	},
	check: func(_ *Decoder, _, value []byte) error {
		if len(value) != 1 || value[0] != wakeVersion {
			return fmt.Errorf("%w wake: %d bytes, want the version alone", storage.ErrCorrupt, len(value))
		}
		return nil
	},
}

var tellingKind = &kind{
	space: spaceAudience, row: tellingRow, name: "telling", group: "audience",
	key:   []field{shardField},
	about: "one row a shard: by which audiences its people were evaluated",
	check: parses[Telling]("telling"),
}

func appendAudienceRow(b []byte, row byte, shard graph.ShardID) []byte {
	return binary.BigEndian.AppendUint16(append(b, byte(spaceAudience), row), uint16(shard))
}

func appendToldKey(b []byte, shard graph.ShardID, root graph.NodeKey) []byte {
	return root.AppendBinary(appendAudienceRow(b, toldRow, shard))
}

func appendAudienceMemberKey(b []byte, shard graph.ShardID, audience uint32, id graph.NodeKey) []byte {
	return id.AppendBinary(binary.BigEndian.AppendUint32(appendAudienceRow(b, audienceMemberRow, shard), audience))
}

func appendAudienceCountKey(b []byte, shard graph.ShardID, audience uint32) []byte {
	return binary.BigEndian.AppendUint32(appendAudienceRow(b, audienceCountRow, shard), audience)
}

func appendWakeKey(b []byte, shard graph.ShardID, due int64, root graph.NodeKey) []byte {
	return root.AppendBinary(binary.BigEndian.AppendUint64(appendAudienceRow(b, wakeRow, shard), uint64(due)))
}

func appendTellingKey(b []byte, shard graph.ShardID) []byte {
	return appendAudienceRow(b, tellingRow, shard)
}

const (
	toldFields       = 2
	toldPersonFields = 2
	toldPersonLeast  = keyLen + 2 + 1
)

// people writes what was told of identities: id, then the numbers of their audiences.
func (out *writer) told(people []graph.ToldPerson) {
	out.array(toldPersonFields * len(people))
	for i := range people {
		out.key(people[i].ID)
		out.array(len(people[i].Audiences))
		last := uint32(0)
		for j, n := range people[i].Audiences {
			if j > 0 {
				n -= last + 1 // the numbers are ascending
			}
			out.uint(uint64(n))
			last = people[i].Audiences[j]
		}
	}
}

func (in *reader) told() []graph.ToldPerson {
	n := in.list(toldPersonFields, toldPersonLeast)
	if n == 0 {
		return nil
	}
	people := make([]graph.ToldPerson, n)
	for i := range people {
		people[i].ID = in.key()
		at := in.at
		numbers := in.list(1, 1)
		if in.err == nil && numbers == 0 {
			in.fail(at, "person %d is in no audience", i)
		}
		if in.err != nil {
			return nil
		}
		list := make([]uint32, numbers)
		for j := range list {
			at, v := in.at, in.uint()
			if j > 0 {
				v += uint64(list[j-1]) + 1
			}
			if in.err == nil && v > math.MaxUint32 {
				in.fail(at, "audience of number %d", v)
			}
			list[j] = uint32(v)
		}
		people[i].Audiences = list
	}
	return people
}

type toldValue graph.Told

func (t *toldValue) encode(out *writer) {
	out.start(toldVersion)
	out.array(toldFields)
	out.int(t.Due)
	out.told(t.People)
}

func (t *toldValue) decode(in *reader) {
	in.version(toldVersion)
	in.tuple(toldFields)
	at := in.at
	t.Due, t.People = in.int(), in.told()
	if in.err == nil && (t.Due < 0 || t.Due == 0 && len(t.People) == 0) {
		in.fail(at, "nothing was told")
	}
}

type memberSince struct{ at int64 }

func (m *memberSince) encode(out *writer) {
	out.start(audienceMemberVersion)
	out.int(m.at)
}

func (m *memberSince) decode(in *reader) {
	in.version(audienceMemberVersion)
	m.at = in.int()
}

type audienceCount struct{ n uint64 }

func (c *audienceCount) encode(out *writer) {
	out.start(audienceCountVersion)
	out.uint(c.n)
}

func (c *audienceCount) decode(in *reader) {
	in.version(audienceCountVersion)
	at := in.at
	if c.n = in.uint(); in.err == nil && c.n == 0 {
		in.fail(at, "nobody is in it")
	}
}

// Telling is by which audiences the people of a shard were evaluated. While a pass goes through all roots that there were when the
// version came, those after the cursor may be as the version before left them.
type Telling struct {
	Version uint64        // of the audiences
	Through bool          // all roots were evaluated
	Barrier uint64        // the last record of before the version
	Cursor  graph.NodeKey // the last root that the pass has seen; zero before the first
}

const tellingFields = 4

func (t *Telling) encode(out *writer) {
	out.start(tellingVersion)
	out.array(tellingFields)
	out.uint(t.Version)
	out.bool(t.Through)
	out.uint(t.Barrier)
	out.optionalKey(t.Cursor)
}

func (t *Telling) decode(in *reader) {
	in.version(tellingVersion)
	in.tuple(tellingFields)
	at := in.at
	*t = Telling{Version: in.uint(), Through: in.bool(), Barrier: in.uint(), Cursor: in.optionalKey()}
	if in.err == nil && (t.Version == 0 || t.Through && !t.Cursor.IsZero()) {
		in.fail(at, "audiences of version %d", t.Version)
	}
}

// PutTold writes what was told of a root, or deletes the row where there is nothing.
func (e *Encoder) PutTold(b *storage.Batch, shard graph.ShardID, root graph.NodeKey, t *graph.Told) {
	e.key = appendToldKey(e.key[:0], shard, root)
	if t.Due == 0 && len(t.People) == 0 {
		b.Delete(e.key)
		return
	}
	(*toldValue)(t).encode(e.begin(e.value[:0]))
	e.set(b, e.finish())
}

// PutAudienceMember writes that an identity is in an audience.
func (e *Encoder) PutAudienceMember(b *storage.Batch, shard graph.ShardID, audience uint32, id graph.NodeKey, since int64) {
	e.key = appendAudienceMemberKey(e.key[:0], shard, audience, id)
	m := memberSince{since}
	m.encode(e.begin(e.value[:0]))
	e.set(b, e.finish())
}

// DeleteAudienceMember deletes that.
func (e *Encoder) DeleteAudienceMember(b *storage.Batch, shard graph.ShardID, audience uint32, id graph.NodeKey) {
	e.key = appendAudienceMemberKey(e.key[:0], shard, audience, id)
	b.Delete(e.key)
}

// PutAudienceCount writes how many identities of the shard are in an audience. Without any there is no row.
func (e *Encoder) PutAudienceCount(b *storage.Batch, shard graph.ShardID, audience uint32, n uint64) {
	e.key = appendAudienceCountKey(e.key[:0], shard, audience)
	if n == 0 {
		b.Delete(e.key)
		return
	}
	c := audienceCount{n}
	c.encode(e.begin(e.value[:0]))
	e.set(b, e.finish())
}

// PutWake writes when a root is to be evaluated again.
func (e *Encoder) PutWake(b *storage.Batch, shard graph.ShardID, due int64, root graph.NodeKey) {
	e.key = appendWakeKey(e.key[:0], shard, due, root)
	e.set(b, append(e.value[:0], wakeVersion))
}

// DeleteWake deletes that.
func (e *Encoder) DeleteWake(b *storage.Batch, shard graph.ShardID, due int64, root graph.NodeKey) {
	e.key = appendWakeKey(e.key[:0], shard, due, root)
	b.Delete(e.key)
}

// PutTelling writes the row of a shard.
func (e *Encoder) PutTelling(b *storage.Batch, shard graph.ShardID, t *Telling) {
	e.key = appendTellingKey(e.key[:0], shard)
	t.encode(e.begin(e.value[:0]))
	e.set(b, e.finish())
}

// ReadTold reads what was told of a root: nothing, if there is no row.
func ReadTold(s storage.Reader, shard graph.ShardID, root graph.NodeKey) (*graph.Told, error) {
	value, err := s.Get(nil, appendToldKey(make([]byte, 0, maxKeyLen), shard, root))
	if errors.Is(err, storage.ErrNotFound) {
		return &graph.Told{}, nil
	}
	if err != nil {
		return nil, err
	}
	t, err := parse[toldValue]("told", value)
	if err != nil {
		return nil, fmt.Errorf("audiences of root %s: %w", root, err)
	}
	return (*graph.Told)(&t), nil
}

// ReadTelling reads the row of a shard; the zero value if there is none.
func ReadTelling(s storage.Reader, shard graph.ShardID) (Telling, error) {
	value, err := s.Get(nil, appendTellingKey(nil, shard))
	if errors.Is(err, storage.ErrNotFound) {
		return Telling{}, nil
	}
	if err != nil {
		return Telling{}, err
	}
	t, err := parse[Telling]("telling", value)
	if err != nil {
		return t, fmt.Errorf("audiences of shard %d: %w", shard, err)
	}
	return t, nil
}

// ScanWakes calls fn with the roots of a shard that are due up to a time, the first first.
func ScanWakes(s storage.Reader, shard graph.ShardID, upTo int64, fn func(due int64, root graph.NodeKey) error) error {
	return s.Iterate(appendAudienceRow(nil, wakeRow, shard), appendWakeKey(nil, shard, upTo+1, graph.NodeKey{}), func(key, _ []byte) error {
		b, err := wakeKind.fields(key)
		if err != nil {
			return err
		}
		return fn(int64(binary.BigEndian.Uint64(b[2:])), readNodeKey(b[10:]))
	})
}

// ScanAudienceCounts calls fn with the audiences of a shard that anybody is in, and how many are.
func ScanAudienceCounts(s storage.Reader, shard graph.ShardID, fn func(audience uint32, n uint64) error) error {
	lower := appendAudienceRow(nil, audienceCountRow, shard)
	return s.Iterate(lower, afterShard([]byte{byte(spaceAudience), audienceCountRow}, shard), func(key, value []byte) error {
		b, err := audienceCountKind.fields(key)
		if err != nil {
			return err
		}
		c, err := parse[audienceCount]("audience count", value)
		if err != nil {
			return err
		}
		return fn(binary.BigEndian.Uint32(b[2:]), c.n)
	})
}

// ScanAudienceMembers calls fn with the identities of a shard that are in an audience, and since when, in ascending order from the
// one after an identity on; the zero key is before all.
func ScanAudienceMembers(s storage.Reader, shard graph.ShardID, audience uint32, after graph.NodeKey, fn func(id graph.NodeKey, since int64) error) error {
	lower := appendAudienceMemberKey(nil, shard, audience, after)
	if !after.IsZero() {
		lower = append(lower, 0)
	}
	upper := append(appendAudienceMemberKey(nil, shard, audience, graph.NodeKey{Hi: math.MaxUint64, Lo: math.MaxUint64}), 0)
	return s.Iterate(lower, upper, func(key, value []byte) error {
		b, err := audienceMemberKind.fields(key)
		if err != nil {
			return err
		}
		m, err := parse[memberSince]("audience member", value)
		if err != nil {
			return err
		}
		return fn(readNodeKey(b[6:]), m.at)
	})
}

// ReadAudienceMember returns since when an identity of a shard is in an audience; 0 if no row says so.
func ReadAudienceMember(s storage.Reader, shard graph.ShardID, audience uint32, id graph.NodeKey) (since int64, err error) {
	value, err := s.Get(nil, appendAudienceMemberKey(nil, shard, audience, id))
	if errors.Is(err, storage.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	m, err := parse[memberSince]("audience member", value)
	return m.at, err
}

// ScanTold calls fn with what was told of each root of a shard.
func ScanTold(s storage.Reader, shard graph.ShardID, fn func(root graph.NodeKey, t *graph.Told) error) error {
	lower := appendAudienceRow(nil, toldRow, shard)
	return s.Iterate(lower, afterShard([]byte{byte(spaceAudience), toldRow}, shard), func(key, value []byte) error {
		b, err := toldKind.fields(key)
		if err != nil {
			return err
		}
		t, err := parse[toldValue]("told", value)
		if err != nil {
			return err
		}
		return fn(readNodeKey(b[2:]), (*graph.Told)(&t))
	})
}
