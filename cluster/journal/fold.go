package journal

import (
	"errors"
	"fmt"
)

// A Position is how far a copy of a shard has taken the shard's log. It is a row of the copy, written in the batch that it
// describes, so that it never says more than the rows beside it.
type Position struct {
	Topic [16]byte // the id of the topic: one that was made again has another
	Next  int64    // the offset of the next record
	Claim int64    // the offset of the claim in force; NoClaim before the first one, and after a seal
	Seq   uint64   // of the last commit under that claim
	Sum   uint32   // the checksum of the record before Next
	// The rules and the handlers that wrote the tail of the shard's own log, which a shard replays as it is opened; 0 if the
	// tail is empty, after a seal.
	Rules, Handlers uint64
}

// NoClaim stands for no claim.
const NoClaim = -1

// Start is the position of an empty copy, at the beginning of a log.
func Start(topic [16]byte) Position { return Position{Topic: topic, Claim: NoClaim} }

// Deployment says whose log it is: that of another deployment is refused.
type Deployment struct {
	ID     [16]byte
	Shards uint32
}

// A Verdict is what became of a record.
type Verdict uint8

// The verdicts.
const (
	Known     Verdict = iota // was read before
	Claimed                  // its node is the only writer from here on
	Part                     // a part of a commit, not the last one
	Committed                // the last part of a commit: rows and position are to be written
	Void                     // written under a claim that was not in force: it counts for nobody
	Duplicate                // was taken before: a broker's idempotence is not absolute
)

// A Commit is what a log says in one commit. Ops and Position are to be written in one batch.
type Commit struct {
	Ops      []byte
	Count    uint32
	Position Position
}

// The errors that halt a shard: an operator has to decide.
var (
	ErrGap     = errors.New("the journal lacks a record that was acknowledged; stop the nodes, and go on from their newest copies: kindred cluster reseed")
	ErrForeign = errors.New("the journal is another deployment's; name the topic of this one")
	ErrNewer   = errors.New("the journal goes on in encodings that this program cannot read; upgrade this node")
)

// Fold decides which records of a log count. It is the only rule of validity: owners, standbys and audits all use it.
//
//	Claim at k             claim := k, seq := 0, unfinished parts forgotten
//	Data, another claim    void
//	Data, taken before     duplicate
//	Data, not the next     halt: the journal has lost something
//	else                   taken; with its last part all its operations, and the position, become one batch
//
// Whether a record counts depends on the records before it and on nothing else, so all folds of a log agree (J1). The obvious
// designs, a term in each record or a lock beside the log, have two places that can disagree.
type Fold struct {
	of Deployment
	at Position // after the last record that was read
	// The writer of the claim in force, if the claim was read; else "".
	node string
	boot uint64
	// A commit of which parts were read. A commit of one part needs no copy of it.
	part, parts, count uint32
	ops                []byte
}

// NewFold continues at the position of a copy.
func NewFold(of Deployment, at Position) *Fold { return &Fold{of: of, at: at} }

// Next is the offset that is to be read next.
func (f *Fold) Next() int64 { return f.at.Next }

// Writer is the node of the claim in force, and its process; "" if the claim was not read.
func (f *Fold) Writer() (node string, boot uint64) { return f.node, f.boot }

// Position is where a copy stands that has taken all that was read, and whether it may be stored: after some parts of a
// commit it may not, as a restart has to read them again.
func (f *Fold) Position() (p Position, whole bool) { return f.at, f.part == 0 }

// Take reads a record. REQUIRES: records come in the order of offsets; offsets without a record are left out. The memory of
// the commit is that of the record if it has one part.
func (f *Fold) Take(offset int64, r *Record) (Verdict, *Commit, error) {
	if offset < f.at.Next {
		return Known, nil, nil
	}
	if c := r.Claim; c != nil {
		return f.claim(offset, r)
	}
	d := r.Data
	next := f.at.Seq + 1
	var verdict Verdict
	switch {
	case d.Claim != f.at.Claim:
		verdict = Void
	case d.Seq < next || d.Seq == next && d.Part <= f.part:
		verdict = Duplicate
	case d.Seq != next || d.Part != f.part+1 || f.part > 0 && (d.Parts != f.parts || d.Count != f.count):
		return 0, nil, fmt.Errorf("offset %d: %w: commit %d, part %d of %d, after commit %d, part %d of %d",
			offset, ErrGap, d.Seq, d.Part, d.Parts, f.at.Seq, f.part, f.parts)
	default:
		return f.take(offset, r)
	}
	f.read(offset, r)
	return verdict, nil, nil
}

func (f *Fold) read(offset int64, r *Record) { f.at.Next, f.at.Sum = offset+1, r.Sum }

func (f *Fold) claim(offset int64, r *Record) (Verdict, *Commit, error) {
	c := r.Claim
	if c.Deployment != f.of.ID || c.Shards != f.of.Shards {
		return 0, nil, fmt.Errorf("offset %d: %w", offset, ErrForeign)
	}
	f.read(offset, r)
	f.at.Claim, f.at.Seq = offset, 0
	f.node, f.boot = c.Node, c.Boot
	f.forget()
	return Claimed, nil, nil
}

// take takes the next part.
func (f *Fold) take(offset int64, r *Record) (Verdict, *Commit, error) {
	d := r.Data
	f.read(offset, r)
	ops := d.Ops
	if d.Parts > 1 {
		f.ops = append(f.ops, d.Ops...)
		f.part, f.parts, f.count = d.Part, d.Parts, d.Count
		ops = f.ops
	}
	if d.Part < d.Parts {
		return Part, nil, nil
	}
	f.at.Seq = d.Seq
	if d.Count > 0 {
		f.at.Rules, f.at.Handlers = d.Rules, d.Handlers
	}
	if d.Sealed {
		f.at.Claim, f.at.Seq, f.at.Rules, f.at.Handlers = NoClaim, 0, 0, 0
		f.node, f.boot = "", 0
	}
	f.forget()
	return Committed, &Commit{ops, d.Count, f.at}, nil
}

// forget drops the parts of a commit.
func (f *Fold) forget() { f.part, f.parts, f.count, f.ops = 0, 0, 0, nil }
