package row

import (
	"fmt"

	"github.com/kindred-id/kindred/storage"
)

// A value of a row that this package defines has two methods: encode writes its version and its fields, and decode
// reads them. They need no more than a writer or a reader, so a row that is written or read seldom needs no Encoder
// or Decoder.
type value interface{ encode(out *writer) }

// valueOf is a pointer to a V that decode fills.
type valueOf[V any] interface {
	*V
	decode(in *reader)
}

// appendValue appends the encoding of v in the newest version.
func appendValue(dst []byte, v value) []byte {
	out := writer{b: dst, formats: versions[newest]}
	v.encode(&out)
	return out.b
}

// parse reads a value. It fails with ErrCorrupt, and names it by kind.
func parse[V any, P valueOf[V]](kind string, src []byte) (V, error) {
	var v, none V
	var in reader
	in.begin(kind, src)
	P(&v).decode(&in)
	if err := in.finish(); err != nil {
		return none, err
	}
	return v, nil
}

// scanDeployment calls fn with the values of a kind of row of the deployment, in the order of their keys.
func scanDeployment[V any, P valueOf[V]](s storage.Reader, row byte, kind string, fn func(V) error) error {
	return s.Iterate([]byte{byte(spaceDeployment), row}, []byte{byte(spaceDeployment), row + 1}, func(_, value []byte) error {
		v, err := parse[V, P](kind, value)
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		return fn(v)
	})
}

// parses returns the check of a kind of row that rejects what parse rejects.
func parses[V any, P valueOf[V]](kind string) func(d *Decoder, key, value []byte) error {
	return func(_ *Decoder, _, value []byte) error {
		_, err := parse[V, P](kind, value)
		return err
	}
}
