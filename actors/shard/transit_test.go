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
	epoch := f.departAgain()
	f.arrive([]outgoing{{Wire: Wire{Epoch: m[0].epoch}}})
	if isClosed(wait) {
		t.Error("the recovered message is not waited for")
	}
	f.arrive([]outgoing{{Wire: Wire{Epoch: epoch}}})
	if !isClosed(wait) {
		t.Error("everything has arrived, and somebody waits")
	}
}
