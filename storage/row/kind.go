package row

import (
	"errors"
	"fmt"
	"strings"
)

// kinds lists the kinds of rows in the order of their keys. A new kind needs a file that defines it, and a line here:
// parsing and checking of keys, the check of rows by kindred verify, and the drawing in doc.go follow from it.
var kinds = [...]*kind{
	deploymentKind, rulesKind, parametersKind, accessKeyKind, keptAnswerKind, deadLetterKind, definitionsKind, clusterNodeKind,
	metaKind,
	logKind,
	nodeKind,
	timelineKind,
	seenKind,
	quarantineKind,
	channelKind,
	positionKind,
	feedKind,
	feedSettingsKind, feedStateKind, feedTrimKind, feedMarkKind, feedSinkKind, feedFloorsKind,
	groupKind,
	memberKind,
	toldKind, audienceMemberKind, audienceCountKind, wakeKind, tellingKind,
	markingKind,
	journalPositionKind, // the last: a copy of a shard ends with it
}

// A kind describes the key of one kind of row and checks its values:
//
//	space 1 B | row 1 B, if kinds share the space | fields of fixed width; the last may be a name of any length
//
// A key belongs to exactly one kind: two kinds never have the same space and row, and within a space either all kinds
// have a row, or the only kind without one has no fields. An append function beside each kind builds its keys: it
// knows the types of the fields and does not allocate. The kind reads and checks keys.
type kind struct {
	space Space
	row   byte // 0 if the kind has its space to itself
	name  string
	group string // the name of its space, if kinds share it
	key   []field
	about string // for the drawing
	// catalog is set if the rows belong to no shard.
	catalog bool
	// checkKey rejects keys of the right shape whose values no row can have. Optional.
	checkKey func(key []byte) error
	// check rejects a row that can't have been written, judged by its key, which is of this kind, and its value alone.
	check func(d *Decoder, key, value []byte) error
}

// A field is a part of a key.
type field struct {
	name  string
	bytes int // 0 for a name of one byte or more, which ends the key
}

// Fields that several kinds share.
var (
	shardField  = field{"shard", 2}
	nodeField   = field{"node key", 16}
	seqField    = field{"seq", 8}
	numberField = field{"number", 8}
)

// Space is the first byte of a key. Rows of a space are adjacent, and within it those of a shard.
type Space byte

func (s Space) String() string {
	for _, k := range kinds {
		if k.space == s {
			return k.groupName()
		}
	}
	return fmt.Sprintf("space(%#02x)", byte(s))
}

func (k *kind) groupName() string {
	if k.group != "" {
		return k.group
	}
	return k.name
}

// ErrKeyShape is returned by the parsers for a key of another kind or length.
var ErrKeyShape = errors.New("key of an unexpected shape")

// ParseKey rejects every key that no append function of this package can have written. It fails with ErrKeyShape.
func ParseKey(key []byte) (Space, error) {
	k, err := kindOf(key)
	if err != nil {
		return KeySpace(key), err
	}
	return k.space, nil
}

// InCatalog reports whether a key is of a row that belongs to no shard. Two writers must never write one row: shards
// write all the others.
func InCatalog(key []byte) bool {
	k, err := kindOf(key)
	return err == nil && k.catalog
}

// Check rejects a row that this package can't have written, judged by its key and value alone. kindred verify calls
// it for each row that it does not compare with others. It fails with ErrKeyShape, or with the error of the kind's
// decoder.
func Check(d *Decoder, key, value []byte) error {
	k, err := kindOf(key)
	if err != nil {
		return err
	}
	return k.check(d, key, value)
}

// KeySpace returns a key's space; 0 if no kind has it.
func KeySpace(key []byte) Space {
	for _, k := range kinds {
		if len(key) > 0 && Space(key[0]) == k.space {
			return k.space
		}
	}
	return 0
}

// kindOf finds the kind of a key. It fails with ErrKeyShape. At most one kind has the shape of a key, so the first is
// it.
func kindOf(key []byte) (*kind, error) {
	for _, k := range kinds {
		if k.has(key) {
			return k, k.refuse(key)
		}
	}
	if space := KeySpace(key); space != 0 {
		return nil, fmt.Errorf("%w: % x as %s", ErrKeyShape, key, space)
	}
	return nil, fmt.Errorf("%w: % x", ErrKeyShape, key)
}

// refuse rejects a key of the right shape that no row has. It fails with ErrKeyShape.
func (k *kind) refuse(key []byte) error {
	if k.checkKey == nil {
		return nil
	}
	if err := k.checkKey(key); err != nil {
		return fmt.Errorf("%w: % x as %s: %w", ErrKeyShape, key, k.name, err)
	}
	return nil
}

// has reports whether a key has the shape of this kind.
func (k *kind) has(key []byte) bool {
	head := k.head()
	if len(key) < head || Space(key[0]) != k.space || head == 2 && key[1] != k.row {
		return false
	}
	rest := len(key) - head
	for _, f := range k.key {
		if f.bytes == 0 {
			return rest > 0 && len(key) <= maxNamedLen
		}
		rest -= f.bytes
	}
	return rest == 0
}

// head is the length of the prefix that all keys of the kind share.
func (k *kind) head() int {
	if k.row != 0 {
		return 2
	}
	return 1
}

// fields returns what follows the head of a key. It fails with ErrKeyShape for a key of another kind.
func (k *kind) fields(key []byte) ([]byte, error) {
	if !k.has(key) {
		return nil, fmt.Errorf("%w: % x as %s", ErrKeyShape, key, k.name)
	}
	return key[k.head():], k.refuse(key)
}

// draw draws the keys of all kinds for the documentation of this package.
func draw() string {
	var b strings.Builder
	indent := 0
	for _, k := range kinds {
		indent = max(indent, len(k.name)+2)
	}
	above := ""
	boxes := make([]string, len(kinds))
	width := 0
	for i, k := range kinds {
		boxes[i] = k.boxes()
		width = max(width, len(boxes[i])+2)
	}
	for i, k := range kinds {
		fmt.Fprintf(&b, "%*s%s\n", indent, "", rule(above, boxes[i]))
		fmt.Fprintf(&b, "%-*s%-*s%s\n", indent, k.name, width, boxes[i], k.about)
		above = boxes[i]
	}
	fmt.Fprintf(&b, "%*s%s\n", indent, "", rule(above, ""))
	return b.String()
}

// boxes draws a key of the kind.
func (k *kind) boxes() string {
	s := fmt.Sprintf("| %02x |", byte(k.space))
	if k.row != 0 {
		s += fmt.Sprintf(" %02x |", k.row)
	}
	for _, f := range k.key {
		if f.bytes == 0 {
			s += fmt.Sprintf(" %s |", f.name)
			continue
		}
		s += fmt.Sprintf(" %s %d |", f.name, f.bytes)
	}
	return s
}

// rule draws the line between two lines of boxes.
func rule(above, below string) string {
	line := make([]byte, max(len(above), len(below)))
	for i := range line {
		line[i] = '-'
		if i < len(above) && above[i] == '|' || i < len(below) && below[i] == '|' {
			line[i] = '+'
		}
	}
	return string(line)
}
