package journal

// A copy that is not wanted any more retires, before it is dropped:
//
//	Placed(Absent) ──► retiring: it says that there is no copy ──► Heard: two others hold all that it vouched for ──► dropped
//	                        └── Placed(Follow, Own): it stays
//
// Invariants, both of J7:
//   - A node that drops its copy counts two others that answered after it had begun to retire, and so before they did. Of nodes
//     that let each other's copies replace their own, the last one to begin is told by the others that they have none.
//   - Two others hold durably all that the node ever said of its copy, and all from where the log begins. So a trim that counted the
//     copy, however long ago it asked, has two copies left.
//
// Both rest on what happened before what, and on no clock. The obvious design, to drop a copy once two others say that they
// have one, fails twice: both of two nodes may count on the other one, and a trim may just have counted on the copy that goes.

// Report is what the node says of its copy when it is asked. durable is the position that survives a crash; nil if there is none.
func (o *Owner) Report(durable *Position, now int64) Report {
	r := Report{Node: o.config.Node}
	if o.retiring != never || !o.vouches() {
		return r
	}
	r.Ready = o.Ready(now)
	if durable != nil {
		r.Durable = durable.Next
	}
	o.vouched = max(o.vouched, r.Durable)
	return r
}

// vouches reports whether the rows of the copy are there to stay.
func (o *Owner) vouches() bool {
	switch o.state {
	case Following, Claiming, Owning, Yielding:
		return true
	}
	return false
}

// Heard says what others say of their copies, and drops the own one if it is to go and may. REQUIRES: owners are the nodes that
// should have a copy, and begins, where the log begins, was read when the reports were asked for
func (o *Owner) Heard(reports []Report, owners []string, begins, now int64) []Do {
	if o.retiring == never || o.state != Following {
		return nil
	}
	var after []Report
	for _, r := range reports {
		if r.At > o.retiring && r.Durable >= o.vouched {
			after = append(after, r)
		}
	}
	if !Surplus(after, owners, begins, now) {
		return nil
	}
	return o.drop()
}
