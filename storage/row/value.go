package row

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

// parses returns the check of a kind of row that rejects what parse rejects.
func parses[V any, P valueOf[V]](kind string) func(d *Decoder, key, value []byte) error {
	return func(_ *Decoder, _, value []byte) error {
		_, err := parse[V, P](kind, value)
		return err
	}
}
