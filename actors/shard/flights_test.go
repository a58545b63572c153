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

// TestFlights: who waits is not held up by what came later, and is held up by what follows.
func TestFlights(t *testing.T) {
	f := NewFlights()
	if f.Landed() != nil {
		t.Fatal("nothing is under way, and there is something to wait for")
	}
	launch := func(epoch uint64) []outgoing {
		m := []sending{{epoch: epoch}}
		f.launch(m)
		return []outgoing{{Wire: Wire{Epoch: m[0].epoch}}}
	}
	first := launch(0)
	before := f.Landed()
	if f.Landed() != before {
		t.Error("two wait for the same, in two ways")
	}
	later := launch(0)
	after := f.Landed()
	follows := launch(first[0].Epoch)
	f.land(first)
	if isClosed(before) {
		t.Error("what follows from the message is not waited for")
	}
	f.land(later)
	if isClosed(after) {
		t.Error("the later epoch ended before the earlier one")
	}
	f.land(follows)
	if !isClosed(before) || !isClosed(after) || f.Landed() != nil {
		t.Error("everything has arrived, and somebody waits")
	}
	again := launch(first[0].Epoch) // of an epoch that is over: a repeated message
	f.land(again)
	if f.Landed() != nil {
		t.Error("a message of an epoch that is over is waited for without end")
	}
}

// TestFlightsRecovered: what a recovery finds in the log is waited for by everybody.
func TestFlightsRecovered(t *testing.T) {
	f := NewFlights()
	m := []sending{{}}
	f.launch(m)
	wait := f.Landed()
	epoch := f.relaunch()
	f.land([]outgoing{{Wire: Wire{Epoch: m[0].epoch}}})
	if isClosed(wait) {
		t.Error("the recovered message is not waited for")
	}
	f.land([]outgoing{{Wire: Wire{Epoch: epoch}}})
	if !isClosed(wait) {
		t.Error("everything has arrived, and somebody waits")
	}
}
