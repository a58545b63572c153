package proto

import (
	"fmt"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/remote"
)

// Kind is what a message is for.
type Kind uint8

// The kinds of messages.
const (
	KindEnvelope Kind = iota + 1
	KindQuery
	KindDelivery
)

// message is one of the three messages, in this process. The library asks it for the one on the wire as it is sent: then it
// no longer waits, and its budget is free (T3).
type message struct {
	kind Kind
	body []byte
	held atomic.Pointer[budget] // nil once it was given back
}

// Serialize implements remote.RootSerializable.
func (m *message) Serialize() (remote.RootSerialized, error) {
	m.free()
	switch m.kind {
	case KindEnvelope:
		return &Envelope{Body: m.body}, nil
	case KindQuery:
		return &Query{Body: m.body}, nil
	case KindDelivery:
		return &Delivery{Body: m.body}, nil
	}
	return nil, fmt.Errorf("cluster: message of unknown kind %d", m.kind)
}

// free gives the message's part of a budget back, once.
func (m *message) free() {
	if b := m.held.Swap(nil); b != nil {
		b.used.Add(-int64(len(m.body)))
	}
}

// Deserialize implements remote.RootSerialized.
func (x *Envelope) Deserialize() (remote.RootSerializable, error) {
	return &message{kind: KindEnvelope, body: x.Body}, nil
}

// Deserialize implements remote.RootSerialized.
func (x *Query) Deserialize() (remote.RootSerializable, error) {
	return &message{kind: KindQuery, body: x.Body}, nil
}

// Deserialize implements remote.RootSerialized.
func (x *Delivery) Deserialize() (remote.RootSerializable, error) {
	return &message{kind: KindDelivery, body: x.Body}, nil
}

// typeNames are the messages that the guard lets in.
var typeNames = map[string]bool{
	"kindred.wire.Envelope": true,
	"kindred.wire.Query":    true,
	"kindred.wire.Delivery": true,
}

// MessageMost is the longest body. The library empties a queue in batches, and a batch is never longer than the budget
// of what may wait, which the other end takes.
const MessageMost = 8 << 20

// budgetMost bounds what waits to be sent to one peer.
const budgetMost = 16 << 20

// budget counts what waits to be sent to one peer, over one connection.
type budget struct{ used atomic.Int64 }

// take reports whether there is room, and takes it.
func (b *budget) take(m *message) bool {
	if b.used.Add(int64(len(m.body))) > budgetMost {
		b.used.Add(-int64(len(m.body)))
		return false
	}
	m.held.Store(b)
	return true
}
