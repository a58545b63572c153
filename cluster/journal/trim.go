package journal

import "slices"

// A Report is what a node says of its copy of a shard, when it is asked.
type Report struct {
	Node    string
	Durable int64 // Next of the position that survives a crash; 0 if it has no copy
	Ready   bool  // the copy is caught up
	At      int64 // when it was asked, in ms, by the clock of the node that asked
}

// reportFor is how long a report may be relied on, in ms. A node whose disk is lost meanwhile counts for that long.
const reportFor = 10_000

// NoBackup stands for a deployment without backups.
const NoBackup = -1

// A Hold is why records stay that are older than the journal is to be kept.
type Hold uint8

// The holds.
const (
	Free       Hold = iota // they may all be deleted
	NoReports              // no node has said lately that it has a copy
	OneCopy                // one node has, and there is no backup
	CopyBehind             // the second copy, or the backup, does not have all of them
	Failed                 // the brokers did not delete them
)

func (h Hold) String() string {
	return [...]string{"free", "no_reports", "one_copy", "copy_behind", "failed"}[h]
}

// Holds are all reasons for which records stay.
var Holds = []Hold{NoReports, OneCopy, CopyBehind, Failed}

// Trim returns the offset below which the records of a log may be deleted: two copies hold them durably, or one and the newest
// backup, and they are older than the journal is to be kept, which ends at keep (J7). If there are others that are as old, it
// says why they stay.
//
// Not the oldest copy decides: a third that lags copies rows anew, or one node that is off for a week would keep the log.
func Trim(reports []Report, backup, keep, now int64) (before int64, why Hold) {
	durable := durable(reports, now)
	second := int64(0)
	switch {
	case len(durable) == 0:
		why = NoReports
	case len(durable) >= 2:
		second, why = durable[1], CopyBehind
	case backup > 0:
		second, why = min(durable[0], backup), CopyBehind
	default:
		why = OneCopy
	}
	if second >= keep {
		return max(0, keep), Free
	}
	return second, why
}

// durable returns the durable positions that may be relied on, the highest first.
func durable(reports []Report, now int64) []int64 {
	var all []int64
	for _, r := range reports {
		if r.Durable > 0 && now-r.At <= reportFor {
			all = append(all, r.Durable)
		}
	}
	slices.SortFunc(all, func(a, b int64) int { return int(min(max(b-a, -1), 1)) })
	return all
}

// Surplus reports whether a node that is not among those that should have a copy may let its own retire: two others say that
// theirs are caught up, and durable from where the log begins.
func Surplus(reports []Report, owners []string, begins, now int64) bool {
	good := 0
	for _, r := range reports {
		if slices.Contains(owners, r.Node) && r.Ready && r.Durable >= begins && r.Durable > 0 && now-r.At <= reportFor {
			good++
		}
	}
	return good >= 2
}
