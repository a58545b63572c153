// Package hold finds a moment at which nothing is under way in any shard of several processes, and shows afterwards that it was one.
// It is pure: package actors asks the processes.
//
//	shut the gate of each process ──► look, until all is quiet ──► use ──► look once more ──► open
//	   deliveries wait                    first                           second: it was held
//
// A look asks one process after the other, so it shows no moment. Two looks do, where nothing has changed from what each process said at
// the first to what it said at the second (Mattern): at any time between them all was as both say. A snapshot of each shard that is
// taken in between shows the deployment as it was at one moment.
//
// Invariants:
//   - A shard says that it is quiet only if each of its messages was taken where it went. So no message is between shards at the
//     moment, and none follows from one.
//   - A gate that is shut stays shut until it is opened for good: a token is used once. So what was not past it at the first look was
//     not at the second, nor between them.
//   - The second look asks the journal whether somebody else had a shard: of two processes that believe to have it, one does not (J13).
//
// The obvious design trusts who said that he holds. A process that nobody asked, because nobody sees it, may have claimed a shard
// meanwhile, and what it sent is in shards that hold: the sum of both is a state that never was.
package hold

import (
	"errors"
	"fmt"
	"slices"

	"github.com/kindred-id/kindred/graph"
)

// A Part is what one process says when it is looked at.
type Part struct {
	Session uint32 // of the process
	Shut    bool   // its gate is, for this hold, and has been since it was shut first
	Past    uint64 // inputs from outside that are past the gate, and not answered
	Shards  []Shard
}

// Shard is a shard that is with a process.
type Shard struct {
	ID        graph.ShardID
	Opening   uint64 // how often the process has opened it
	Record    uint64 // the last one that it made
	Waiting   uint64 // messages that it sent, and that were not taken
	Confirmed bool   // the journal shows that it was with this process when it was asked, which was after the rest was said
}

// The reasons why there is no moment.
var (
	// ErrUnderWay is returned while something is under way: look again.
	ErrUnderWay = errors.New("something is under way")
	// ErrLost is returned once no later look can show the moment: it is over.
	ErrLost = errors.New("the hold was lost")
)

// Quiet reports, with ErrUnderWay, that something is under way, and, with ErrLost, that some process takes deliveries.
func Quiet(parts []Part, shards int) error {
	for i := range parts {
		if !parts[i].Shut {
			return fmt.Errorf("%w: a node takes events in", ErrLost)
		}
	}
	if id := homeless(parts, shards); id >= 0 {
		return fmt.Errorf("%w: shard %d is not with one node", ErrUnderWay, id)
	}
	for i := range parts {
		if parts[i].Past > 0 {
			return fmt.Errorf("%w: %d events or requests", ErrUnderWay, parts[i].Past)
		}
		for _, s := range parts[i].Shards {
			if s.Waiting > 0 {
				return fmt.Errorf("%w: %d messages of shard %d", ErrUnderWay, s.Waiting, s.ID)
			}
		}
	}
	return nil
}

// Held reports, with ErrLost, that the moment between two looks was none. REQUIRES: the first one was quiet
func Held(first, second []Part, shards int) error {
	if err := Quiet(second, shards); err != nil {
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	for i := range second {
		for _, s := range second[i].Shards {
			was := find(first, second[i].Session, s.ID)
			switch {
			case was == nil || was.Opening != s.Opening:
				return fmt.Errorf("%w: shard %d went to another node", ErrLost, s.ID)
			case was.Record != s.Record:
				return fmt.Errorf("%w: shard %d went on", ErrLost, s.ID)
			case !s.Confirmed:
				return fmt.Errorf("%w: the journal does not show that shard %d is with one node", ErrLost, s.ID)
			}
		}
	}
	return nil
}

// homeless is the first shard that is not with exactly one process; -1 if each is.
func homeless(parts []Part, shards int) int {
	seen := make([]int, shards)
	for i := range parts {
		for _, s := range parts[i].Shards {
			if int(s.ID) < shards {
				seen[s.ID]++
			}
		}
	}
	return slices.IndexFunc(seen, func(n int) bool { return n != 1 })
}

// find is what a process said of a shard; nil if it did not have it.
func find(parts []Part, session uint32, id graph.ShardID) *Shard {
	for i := range parts {
		if parts[i].Session != session {
			continue
		}
		for j := range parts[i].Shards {
			if parts[i].Shards[j].ID == id {
				return &parts[i].Shards[j]
			}
		}
	}
	return nil
}
