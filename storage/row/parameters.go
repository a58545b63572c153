package row

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/storage"
)

const parametersRow = 2 // in spaceDeployment

var parametersKind = &kind{
	space: spaceDeployment, row: parametersRow, name: "parameters", group: "deployment",
	about:   "one row: parameters of the scores",
	catalog: true,
	check: func(_ *Decoder, _, value []byte) error {
		_, err := readParameters(value)
		return err
	},
}

// appendParametersKey appends the key of the row of the scores' parameters, which is in the space of the deployment row.
func appendParametersKey(b []byte) []byte { return append(b, byte(spaceDeployment), parametersRow) }

// The row of the scores' parameters, the snapshot in use:
//
//	1 B       …             4 B
//	+---------+-------------+--------+
//	| version | JSON        | CRC-32 |
//	+---------+-------------+--------+
//
// It is written once in a fit, and read once at a start, so it need not be compact. JSON preserves every bit of a
// float64. Its keys are the names of the fields of score.Parameters: the API has a form of its own.
const (
	parametersRowVersion = 1
	parametersRowFixed   = 1 + 4
	parametersRowMax     = 4 << 20
)

// appendParameters appends the row's value. It fails on NaN and infinities.
func appendParameters(b []byte, p *score.Parameters) ([]byte, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("parameters of version %d: %w", p.Version, err)
	}
	if len(text) > parametersRowMax {
		return nil, fmt.Errorf("parameters of %d bytes: want at most %d", len(text), parametersRowMax)
	}
	start := len(b)
	b = append(append(b, parametersRowVersion), text...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli)), nil
}

// decodeParameters reads the format of appendParameters and rejects everything else.
func decodeParameters(b []byte) (p score.Parameters, err error) {
	switch {
	case len(b) < parametersRowFixed || len(b) > parametersRowFixed+parametersRowMax:
		return p, fmt.Errorf("parameters row of %d bytes", len(b))
	case b[0] != parametersRowVersion:
		return p, fmt.Errorf("parameters row of version %d, want %d", b[0], parametersRowVersion)
	}
	body, sum := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	if sum != crc32.Checksum(body, castagnoli) {
		return p, errors.New("parameters row fails its checksum")
	}
	text := json.NewDecoder(bytes.NewReader(body[1:]))
	text.DisallowUnknownFields()
	if err := text.Decode(&p); err != nil {
		return p, fmt.Errorf("parameters row: %w", err)
	}
	return p, p.Validate()
}

// PutParameters adds to the batch that the store's deployment scores with these parameters. It fails if the
// parameters are invalid.
func PutParameters(b *storage.Batch, p *score.Parameters) error {
	if err := p.Validate(); err != nil {
		return err
	}
	row, err := appendParameters(nil, p)
	if err != nil {
		return err
	}
	b.Set(appendParametersKey(nil), row)
	return nil
}

// ReadParameters reads the parameters that a store's deployment scores with. It fails with ErrNotFound if the row is
// absent, and with ErrCorrupt if it can't be read.
func ReadParameters(s storage.Reader) (score.Parameters, error) {
	value, err := s.Get(nil, appendParametersKey(nil))
	if err != nil {
		return score.Parameters{}, err
	}
	return readParameters(value)
}

func readParameters(value []byte) (score.Parameters, error) {
	p, err := decodeParameters(value)
	if err != nil {
		return score.Parameters{}, storage.Corrupt("read", "parameters row", err)
	}
	return p, nil
}
