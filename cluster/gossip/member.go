package gossip

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Member is what a node says of itself.
type Member struct {
	Name     string   // stable over restarts
	Boot     uint64   // of the process: another one at each start
	Remote   string   // host:port for messages of other nodes
	Bulk     string   // host:port for copies and exports
	Client   string   // host:port for clients
	Version  string   // of the program
	Reads    uint64   // the newest generation of encodings that it reads
	Handlers uint64   // their version: the node finishes log tails that these wrote
	Zone     string   // nodes of a zone fail together
	Weight   uint16   // how many shards it should have in relation to others; 0 while it is drained
	Copies   []uint64 // the shards of which it has a copy that is caught up, a bit each
	Topics   []uint32 // that it consumes, a hash of the name each
}

// memberVersion is the first byte. A newer version may only append fields: what follows those known is ignored.
const memberVersion = 1

// metaMost is what the library has room for.
const metaMost = 512

// append encodes everything but the name, which travels with the address.
func (m *Member) append(b []byte) []byte {
	b = append(b, memberVersion)
	b = binary.BigEndian.AppendUint64(b, m.Boot)
	for _, s := range []string{m.Remote, m.Bulk, m.Client, m.Version, m.Zone} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	b = binary.AppendUvarint(b, m.Reads)
	b = binary.AppendUvarint(b, uint64(m.Weight))
	b = binary.AppendUvarint(b, uint64(len(m.Copies)))
	for _, word := range m.Copies {
		b = binary.BigEndian.AppendUint64(b, word)
	}
	b = binary.AppendUvarint(b, uint64(len(m.Topics)))
	for _, topic := range m.Topics {
		b = binary.BigEndian.AppendUint32(b, topic)
	}
	return binary.AppendUvarint(b, m.Handlers)
}

var errMeta = errors.New("gossip: what a node says of itself cannot be read")

// parseMember decodes what append wrote.
func parseMember(name string, b []byte) (Member, error) {
	m := Member{Name: name}
	if len(b) == 0 || b[0] != memberVersion {
		return m, fmt.Errorf("%w: it has no version that this program knows; upgrade one of the two", errMeta)
	}
	in := metaReader{b: b[1:]}
	m.Boot = in.word()
	for _, s := range []*string{&m.Remote, &m.Bulk, &m.Client, &m.Version, &m.Zone} {
		*s = string(in.take(in.number(metaMost)))
	}
	m.Reads = in.number(math.MaxUint64)
	m.Weight = uint16(in.number(math.MaxUint16))
	words := in.number(metaMost / 8)
	if in.bad || words*8 > uint64(len(in.b)) {
		return m, fmt.Errorf("%w: it is cut short", errMeta)
	}
	for range words {
		m.Copies = append(m.Copies, in.word())
	}
	topics := in.number(metaMost / 4)
	if in.bad || topics*4 > uint64(len(in.b)) {
		return m, fmt.Errorf("%w: it is cut short", errMeta)
	}
	for range topics {
		m.Topics = append(m.Topics, binary.BigEndian.Uint32(in.take(4)))
	}
	if m.Handlers = in.number(math.MaxUint64); in.bad {
		return m, fmt.Errorf("%w: it is cut short", errMeta)
	}
	return m, nil
}

// metaReader reads until something does not fit; then everything is zero.
type metaReader struct {
	b   []byte
	bad bool
}

func (in *metaReader) take(n uint64) []byte {
	if in.bad || n > uint64(len(in.b)) {
		in.bad, in.b = true, nil
		return nil
	}
	taken := in.b[:n]
	in.b = in.b[n:]
	return taken
}

func (in *metaReader) word() uint64 {
	if b := in.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (in *metaReader) number(most uint64) uint64 {
	v, n := binary.Uvarint(in.b)
	if in.bad || n <= 0 || v > most {
		in.bad = true
		return 0
	}
	in.b = in.b[n:]
	return v
}
