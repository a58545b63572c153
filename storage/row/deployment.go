package row

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"math"

	"github.com/kindred-id/kindred/storage"
)

// Secret keys the hash that makes node keys and the memory of duplicates. A person who has it can craft collisions
// and test guesses of identifiers, so no formatting method prints it (S7).
type Secret [16]byte

const redacted = "redacted"

// Format implements fmt.Formatter: every verb prints "redacted".
func (Secret) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(redacted)) }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler, which JSON and YAML use.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

func newSecret() Secret {
	var s Secret
	_, _ = rand.Read(s[:]) // never fails: the runtime ends the process when it can't read random bytes
	return s
}

// Deployment holds the settings that are fixed when a data directory is initialised (S6), and the rules it used last.
type Deployment struct {
	Shards    int // 1 to MaxShards
	Secret    Secret
	Created   int64  // ms since 1970 UTC
	RulesName string // at most 255 bytes
	// RulesVersion is the hash of the content of the rules that judged all stored data; 0 during a change of rules.
	RulesVersion uint64
	// FormerUntil is the time, ms since 1970 UTC, until which the memory of duplicates may hold hashes of source and id
	// without the event's content: 0 for a directory that never held such hashes, FormerUnknown for one without a
	// record of it.
	FormerUntil int64
	// PlainKeys reports whether the keys of addresses and phone numbers are hashes of the values themselves, as in
	// directories from before a value and its SHA-256 were one identifier.
	PlainKeys bool
}

// spaceDeployment holds the rows that exist once in a deployment.
const spaceDeployment Space = 0x01

var deploymentKind = &kind{
	space: spaceDeployment, name: "deployment",
	about:   "one row",
	catalog: true,
	check: func(_ *Decoder, _, value []byte) error {
		_, err := decodeDeployment(value)
		return err
	},
}

// appendDeploymentKey appends the key of the deployment row.
func appendDeploymentKey(b []byte) []byte { return append(b, byte(spaceDeployment)) }

// FormerUnknown stands in deployment rows of version 1.
const FormerUnknown = math.MaxInt64

// MaxShards is the largest number of shards.
const MaxShards = 1 << 16

// The deployment row:
//
//	1 B       4 B         16 B     8 B       8 B             1 B               8 B            1 B          4 B
//	+---------+--------+--------+---------+---------------+--------+------+--------------+------------+--------+
//	| version | shards | secret | created | rules version | length | name | former until | plain keys | CRC-32 |
//	+---------+--------+--------+---------+---------------+--------+------+--------------+------------+--------+
//
// Version 1 lacks "former until" and "plain keys"; its keys are plain. Numbers are big-endian, and the checksum is over
// all bytes before it. The secret decides the key of every node, so that a damaged one would lose all that is stored
// without an error: hence the checksum.
const (
	deploymentVersion = 2
	deploymentFixed   = 1 + 4 + 16 + 8 + 8 + 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendDeployment appends the deployment row's value. REQUIRES: d.check() == nil.
func appendDeployment(b []byte, d *Deployment) []byte {
	start := len(b)
	b = append(b, deploymentVersion)
	b = binary.BigEndian.AppendUint32(b, uint32(d.Shards))
	b = append(b, d.Secret[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(d.Created))
	b = binary.BigEndian.AppendUint64(b, d.RulesVersion)
	b = append(b, byte(len(d.RulesName)))
	b = append(b, d.RulesName...)
	b = binary.BigEndian.AppendUint64(b, uint64(d.FormerUntil))
	plain := byte(0)
	if d.PlainKeys {
		plain = 1
	}
	b = append(b, plain)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

// decodeDeployment reads the format of appendDeployment and rejects everything else.
func decodeDeployment(b []byte) (Deployment, error) {
	var d Deployment
	switch {
	case len(b) < deploymentFixed+4:
		return d, fmt.Errorf("deployment row of %d bytes", len(b))
	case b[0] < 1 || b[0] > deploymentVersion:
		return d, fmt.Errorf("deployment row of version %d, want %d or less", b[0], deploymentVersion)
	case len(b) != deploymentFixed+int(b[deploymentFixed-1])+9*int(b[0]-1)+4:
		return d, fmt.Errorf("deployment row of %d bytes with a name of %d", len(b), b[deploymentFixed-1])
	}
	body := b[:len(b)-4]
	if binary.BigEndian.Uint32(b[len(b)-4:]) != crc32.Checksum(body, castagnoli) {
		return d, errors.New("deployment row fails its checksum")
	}
	d.Shards = int(binary.BigEndian.Uint32(b[1:]))
	copy(d.Secret[:], b[5:])
	d.Created = int64(binary.BigEndian.Uint64(b[21:]))
	d.RulesVersion = binary.BigEndian.Uint64(b[29:])
	end := deploymentFixed + int(b[deploymentFixed-1])
	d.RulesName = string(body[deploymentFixed:end])
	if d.FormerUntil, d.PlainKeys = FormerUnknown, true; b[0] > 1 {
		d.FormerUntil = int64(binary.BigEndian.Uint64(body[end:]))
		d.PlainKeys = body[end+8] != 0
	}
	return d, d.check()
}

// check rejects what the row can't hold. It is called before a row is written and after one is read.
func (d *Deployment) check() error {
	switch {
	case d.Shards < 1 || d.Shards > MaxShards:
		return fmt.Errorf("%d shards: want 1 to %d", d.Shards, MaxShards)
	case len(d.RulesName) > 255:
		return fmt.Errorf("rules name of %d bytes: want at most 255", len(d.RulesName))
	}
	return nil
}

// ReadDeployment reads the deployment row of a store. It fails with ErrNotFound if the store was never initialised,
// and with ErrCorrupt if the row can't be read.
func ReadDeployment(s storage.Reader) (Deployment, error) {
	value, err := s.Get(nil, appendDeploymentKey(nil))
	if err != nil {
		return Deployment{}, err
	}
	d, err := decodeDeployment(value)
	if err != nil {
		return Deployment{}, storage.Corrupt("read", "deployment row", err)
	}
	return d, nil
}

// SetRules adds to the batch that d's store now uses other rules. It writes the other fields of d unchanged.
func (d *Deployment) SetRules(b *storage.Batch, name string, version uint64) error {
	next := *d
	next.RulesName, next.RulesVersion = name, version
	if err := next.check(); err != nil {
		return err
	}
	*d = next
	b.Set(appendDeploymentKey(nil), appendDeployment(nil, d))
	return nil
}

// SetFormerUntil adds to the batch until when the memory of duplicates may hold hashes without the event's content.
func (d *Deployment) SetFormerUntil(b *storage.Batch, until int64) {
	d.FormerUntil = until
	b.Set(appendDeploymentKey(nil), appendDeployment(nil, d))
}

// Initialise returns the deployment row of a store, and writes d as that row if the store has no row yet. The zero
// Secret in d asks for a random one. A zero d.Shards accepts the stored number.
//
// It fails with ErrMismatch if the stored row has another number of shards, or if d has a secret and the row a
// different one.
func Initialise(s storage.Store, d Deployment) (Deployment, error) {
	old, err := ReadDeployment(s)
	if errors.Is(err, storage.ErrNotFound) {
		return initialiseNew(s, d)
	}
	if err != nil {
		return Deployment{}, err
	}
	switch {
	case d.Shards != 0 && d.Shards != old.Shards:
		return Deployment{}, &storage.Error{
			Class: storage.ErrMismatch, Op: "open", Path: "deployment row",
			Err:    fmt.Errorf("it was initialised with %d shards, and %d are asked for", old.Shards, d.Shards),
			Remedy: "the number of shards is fixed: leave the setting out, or ingest into a new directory",
		}
	case d.Secret != Secret{} && d.Secret != old.Secret:
		return Deployment{}, &storage.Error{
			Class: storage.ErrMismatch, Op: "open", Path: "deployment row",
			Err:    errors.New("it was initialised with another secret"),
			Remedy: "the secret is fixed: leave the setting out, or ingest into a new directory",
		}
	}
	return old, nil
}

func initialiseNew(s storage.Store, d Deployment) (Deployment, error) {
	// A store with rows but without a deployment row lost it: a new secret would give every node a different key.
	if err := s.Iterate([]byte{0}, []byte{0xff}, func(key, _ []byte) error {
		return storage.Corrupt("open", "deployment row",
			fmt.Errorf("the row is missing and there are others (% x)", key))
	}); err != nil {
		return Deployment{}, err
	}
	if (d.Secret == Secret{}) {
		d.Secret = newSecret()
	}
	if err := d.check(); err != nil {
		return Deployment{}, fmt.Errorf("initialise: %w", err)
	}
	var b storage.Batch
	b.Set(appendDeploymentKey(nil), appendDeployment(nil, &d))
	return d, s.Commit(&b)
}

// begin writes the first rows of a new store. A crash before Open first returned may have left some.
func begin(s storage.Store, rows *storage.Batch) error { return s.Commit(rows) }
