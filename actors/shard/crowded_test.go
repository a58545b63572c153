package shard

import "testing"

// An outbox is crowded above a number of messages, and above a number of bytes, until enough of them are acknowledged.
func TestCrowded(t *testing.T) {
	for _, test := range []struct{ messages, bytes, acked int }{{crowdedMessages, 1, 1}, {16, 1 << 20, 1}} {
		var o outbox
		for i := range test.messages {
			o.wait(outgoing{Wire: Wire{Seq: uint64(i + 1), Body: make([]byte, test.bytes)}})
		}
		if o.crowded() {
			t.Errorf("%d messages of %d bytes are too many", test.messages, test.bytes)
		}
		o.wait(outgoing{Wire: Wire{Seq: uint64(test.messages + 1), Body: make([]byte, 1)}})
		if !o.crowded() {
			t.Errorf("one more than %d messages of %d bytes is not too many", test.messages, test.bytes)
		}
		o.acknowledge(uint64(test.acked))
		if o.crowded() {
			t.Errorf("%d of them were acknowledged, and they are too many", test.acked)
		}
		o.acknowledge(uint64(test.messages + 1))
		if o.bytes != 0 {
			t.Errorf("%d bytes wait, and no message", o.bytes)
		}
	}
}
