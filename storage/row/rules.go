package row

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/kindred-id/kindred/storage"
)

// RulesDocument is the text of the rules that a deployment runs under. Deployment.RulesVersion names the rules that
// judged all stored data: during a change of rules the document is ahead of it.
type RulesDocument struct {
	Version uint64 // hash of the content, as in Deployment.RulesVersion
	Text    []byte
}

const rulesRow = 1 // in spaceDeployment

var rulesKind = &kind{
	space: spaceDeployment, row: rulesRow, name: "rules", group: "deployment",
	about:   "one row",
	catalog: true,
	check: func(_ *Decoder, _, value []byte) error {
		_, err := readRules(value)
		return err
	},
}

// appendRulesKey appends the key of the rules row, which is in the space of the deployment row.
func appendRulesKey(b []byte) []byte { return append(b, byte(spaceDeployment), rulesRow) }

// The rules row:
//
//	1 B       8 B       …      4 B
//	+---------+---------+------+--------+
//	| version | rules   | text | CRC-32 |
//	|         | version |      |        |
//	+---------+---------+------+--------+
const (
	rulesRowVersion = 1
	rulesRowFixed   = 1 + 8 + 4
	rulesTextMax    = 4 << 20
)

// appendRulesDocument appends the rules row's value.
func appendRulesDocument(b []byte, d *RulesDocument) []byte {
	start := len(b)
	b = append(b, rulesRowVersion)
	b = binary.BigEndian.AppendUint64(b, d.Version)
	b = append(b, d.Text...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

// decodeRulesDocument reads the format of appendRulesDocument and rejects everything else. The text is a slice of b.
func decodeRulesDocument(b []byte) (RulesDocument, error) {
	switch {
	case len(b) < rulesRowFixed || len(b) > rulesRowFixed+rulesTextMax:
		return RulesDocument{}, fmt.Errorf("rules row of %d bytes", len(b))
	case b[0] != rulesRowVersion:
		return RulesDocument{}, fmt.Errorf("rules row of version %d, want %d", b[0], rulesRowVersion)
	}
	body, sum := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	if sum != crc32.Checksum(body, castagnoli) {
		return RulesDocument{}, errors.New("rules row fails its checksum")
	}
	return RulesDocument{Version: binary.BigEndian.Uint64(body[1:]), Text: body[9:]}, nil
}

// Put adds to the batch that the store's deployment runs under these rules.
func (d *RulesDocument) Put(b *storage.Batch) error {
	if len(d.Text) > rulesTextMax {
		return fmt.Errorf("rules of %d bytes: want at most %d", len(d.Text), rulesTextMax)
	}
	b.Set(appendRulesKey(nil), appendRulesDocument(nil, d))
	return nil
}

// ReadRules reads the rules that a store's deployment runs under. It fails with ErrNotFound if the row is absent, and
// with ErrCorrupt if it can't be read.
func ReadRules(s storage.Reader) (RulesDocument, error) {
	value, err := s.Get(nil, appendRulesKey(nil))
	if err != nil {
		return RulesDocument{}, err
	}
	return readRules(value)
}

func readRules(value []byte) (RulesDocument, error) {
	d, err := decodeRulesDocument(value)
	if err != nil {
		return RulesDocument{}, storage.Corrupt("read", "rules row", err)
	}
	return d, nil
}
