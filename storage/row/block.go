package row

// eventLeast is less than any event takes, in bytes.
const eventLeast = 2

// Block appends a block of a timeline: encoded events, in the order in which they are given.
func (e *Encoder) Block(dst []byte, events [][]byte) []byte {
	o := e.begin(dst, blockVersion)
	o.array(len(events))
	for _, event := range events {
		o.blob(event)
	}
	return e.finish()
}

// Block calls each with every encoded event of a block, in order, until it returns an error, which
// Block then returns. The events share src's memory. each may use the decoder. When Block fails,
// each may have been called for the events before the damage.
func (d *Decoder) Block(src []byte, each func(event []byte) error) error {
	in := d.begin("timeline block", src, blockVersion)
	n := in.list(1, eventLeast)
	for range n {
		event := in.blob()
		if in.err != nil {
			break
		}
		here := d.in
		if err := each(event); err != nil {
			d.in.b = nil
			return err
		}
		d.in = here
	}
	return d.finish()
}
