package row

// Quarantined is an input that was set aside because its handler failed.
type Quarantined struct {
	Reason string
	At     int64 // ms since 1970 UTC
	Input  Input
}

const quarantineFields = 5

// Quarantined appends the row of an input that was set aside.
func (e *Encoder) Quarantined(dst []byte, q *Quarantined) []byte {
	o := e.begin(dst, quarantineVersion)
	o.array(quarantineFields)
	o.text(q.Reason)
	o.int(q.At)
	o.uint(uint64(q.Input.Source))
	o.uint(q.Input.Seq)
	o.blob(q.Input.Body)
	return e.finish()
}

// Quarantined reads the row of an input that was set aside. Its body shares src's memory.
func (d *Decoder) Quarantined(src []byte) (Quarantined, error) {
	in := d.begin("quarantine row", src, quarantineVersion)
	in.tuple(quarantineFields)
	q := Quarantined{Reason: d.text(), At: in.int()}
	q.Input = Input{Source: in.uint16(), Seq: in.uint(), Body: in.blob()}
	if err := d.finish(); err != nil {
		return Quarantined{}, err
	}
	return q, nil
}
