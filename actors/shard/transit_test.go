package shard

import "testing"

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// TestTransit: who waits is not held up by what came later, and is held up by what follows.
func TestTransit(t *testing.T) {
	f := NewTransit()
	if f.Arrived() != nil {
		t.Fatal("nothing is under way, and there is something to wait for")
	}
	launch := func(epoch uint64) []outgoing {
		m := []sending{{epoch: epoch}}
		f.depart(m)
		return []outgoing{{Wire: Wire{Epoch: m[0].epoch}}}
	}
	first := launch(0)
	before := f.Arrived()
	if f.Arrived() != before {
		t.Error("two wait for the same, in two ways")
	}
	later := launch(0)
	after := f.Arrived()
	follows := launch(first[0].Epoch)
	f.arrive(first)
	if isClosed(before) {
		t.Error("what follows from the message is not waited for")
	}
	f.arrive(later)
	if isClosed(after) {
		t.Error("the later epoch ended before the earlier one")
	}
	f.arrive(follows)
	if !isClosed(before) || !isClosed(after) || f.Arrived() != nil {
		t.Error("everything has arrived, and somebody waits")
	}
	again := launch(first[0].Epoch) // of an epoch that is over: a repeated message
	f.arrive(again)
	if f.Arrived() != nil {
		t.Error("a message of an epoch that is over is waited for without end")
	}
}

// TestTransitRecovered: what a recovery finds in the log is waited for by everybody.
func TestTransitRecovered(t *testing.T) {
	f := NewTransit()
	m := []sending{{}}
	f.depart(m)
	wait := f.Arrived()
	epoch := f.departAgain(false)
	f.arrive([]outgoing{{Wire: Wire{Epoch: m[0].epoch}}})
	if isClosed(wait) {
		t.Error("the recovered message is not waited for")
	}
	f.arrive([]outgoing{{Wire: Wire{Epoch: epoch}}})
	if !isClosed(wait) {
		t.Error("everything has arrived, and somebody waits")
	}
}

// TestTransitWait: a wait looks at what is in transit once the events that were passed on have arrived, and not before; without
// such events, at once.
func TestTransitWait(t *testing.T) {
	f := NewTransit()
	launch := func(epoch uint64, brings bool) []outgoing {
		m := []sending{{epoch: epoch, brings: brings}}
		f.depart(m)
		return []outgoing{{Wire: Wire{Epoch: m[0].epoch}, brings: brings}}
	}
	over := f.Wait()
	if over.Next() != nil {
		t.Error("nothing is in transit, and there is something to wait for")
	}
	claim := launch(0, false)
	plain := f.Wait()
	landed := plain.Next()
	if landed == nil || isClosed(landed) {
		t.Fatal("a claim is in transit, and it is not waited for")
	}
	event := launch(0, true)
	w := f.Wait()
	passed := w.Next()
	further := launch(event[0].Epoch, true)
	f.arrive(event)
	if isClosed(passed) {
		t.Error("an event was passed on once more, and it is not waited for")
	}
	met := launch(0, false) // a claim of another event, which the event meets where it is folded
	other := launch(0, true)
	f.arrive(further)
	if !isClosed(passed) {
		t.Error("the events of before the wait have arrived, and those of after it are waited for")
	}
	rest := w.Next()
	f.arrive(claim)
	if !isClosed(landed) || plain.Next() != nil {
		t.Error("the claim has arrived, and the wait for it alone goes on")
	}
	f.arrive(other)
	if isClosed(rest) {
		t.Error("a claim that was sent before the event was folded is not waited for")
	}
	f.arrive(met)
	if !isClosed(rest) || w.Next() != nil {
		t.Error("everything has arrived, and somebody waits")
	}
}

// TestTransitCopy: a message that a recovery counts again, as one of the oldest, may arrive as the copy that left before, which
// names a later epoch: a wait goes on until what follows from the copy has arrived.
func TestTransitCopy(t *testing.T) {
	f := NewTransit()
	first := []sending{{}}
	f.depart(first)
	f.Arrived() // ends its epoch
	second := []sending{{}}
	f.depart(second)
	again := f.departAgain(false)
	f.arrive([]outgoing{{Wire: Wire{Epoch: second[0].epoch}}}) // as enter does
	wait := f.Arrived()
	follows := []sending{{epoch: second[0].epoch}} // from the copy
	f.depart(follows)
	f.arrive([]outgoing{{Wire: Wire{Epoch: first[0].epoch}}, {Wire: Wire{Epoch: again}}})
	if isClosed(wait) {
		t.Error("what follows from a copy of the message is not waited for")
	}
	f.arrive([]outgoing{{Wire: Wire{Epoch: follows[0].epoch}}})
	if !isClosed(wait) {
		t.Error("everything has arrived, and somebody waits")
	}
}
