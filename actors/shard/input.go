package shard

import (
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/row"
)

// Input is one thing for a shard to take. It is one of
//   - an event or another message from outside, with Outcome; an event of an external channel has Channel, Prev and Seq, too;
//   - the position in an external channel of shard From, which becomes Seq, with Outcome and Channel;
//   - the request to shard From to tell the ids that it noted, with Outcome and Tell;
//   - the request to the observers of shard From to delete what they keep no more, with Outcome and Tidy;
//   - the request to shard From to do a part of what it has to look through of its stored events, with Outcome and Fill;
//   - the request to shard From to evaluate the roots whose audiences are due, with Outcome and Wake;
//   - a message of the channel from another shard, with From and Seq.
type Input struct {
	Event   *graph.Event
	Message *graph.Message
	Tell    bool   // see notes
	Tidy    bool   // an observer is to delete rows that it keeps no more: see tidier
	Fill    bool   // signals are to be filled from stored events: see marking
	Wake    bool   // roots that are due are to be evaluated: see telling
	Body    []byte // the event or the message, encoded
	Outcome *Outcome
	From    graph.ShardID
	Channel row.ChannelID
	Seq     uint64
	Epoch   uint64 // of a message of a channel, as its Wire has it
	Prev    int64

	Delivery any // whose it is: for the caller

	poison error // why it was set aside
}

// Outcome is what became of an input from outside.
type Outcome uint8

// The outcomes. They are valid once the input's commit is durable.
const (
	Pending     Outcome = iota
	Accepted            // handled
	Duplicate           // its message id was taken before
	Quarantined         // its handler failed; it is kept aside with the reason
	OutOfTurn           // it is not the next of its external channel: nothing was done
	Elsewhere           // its shard is not with this process: what became of it is unknown, and it is to be sent again
)

// Shard is the shard that an input from outside is for.
func (in *Input) Shard(shards int) graph.ShardID {
	switch {
	case in.Event != nil:
		return in.Event.Route().Shard(shards)
	case in.Message != nil:
		return in.Message.To.Shard(shards)
	default:
		return in.From
	}
}
