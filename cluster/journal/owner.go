package journal

import (
	"encoding/binary"
	"fmt"

	"github.com/kindred-id/kindred/cluster/place"
	"github.com/kindred-id/kindred/graph"
)

// An Owner is one shard on one node: it follows the shard's log, and owns the shard while its claim is the last. It is a state
// machine without goroutine, clock or lock: it is told what happened, and answers what is to be done, in that order. Times are
// ms of a clock that never goes back.
//
//	absent ─► copying ─► following ─► claiming ─► owning ─► yielding ─► following
//	                         ▲             │          │         │
//	                         └──── lost ◄──┴──────────┴─────────┘
//
// Invariants:
//   - One append is under way at a time, and what a fold makes of it decides: a commit counts if its last part was taken under the
//     own claim with every offset before it read (J2).
//   - Only following leads to claiming, with a copy that is caught up and a log tail that these handlers may replay (J4, J5).
//   - Whatever is unclear loses the shard: an error, a deadline, an offset that cannot be. An append under way may be in the log
//     all the same; the fold will tell, as it tells everybody else.
//
// They force the gap check: an append that is answered at an offset after the next one says nothing about the offsets between,
// where a claim of another node may be. The obvious design trusts the answer, and two nodes then commit at once.
type Owner struct {
	config Config
	state  State
	wish   place.Wish
	fold   *Fold
	copied int64 // Next of the last position that was to be written
	check  bool  // the record before Next is to be compared with the position's checksum
	err    error // of Halted
	under  appending
	ticket uint64 // of the last append
	batch  *batch // of the shard, waits for an append
	seal   bool   // a seal waits for an append

	claimed int64 // the offset of the own claim
	seq     uint64
	decided uint64 // appends that count
	asked   uint64 // what decided has to reach for the strong reads that wait
	voids   uint64 // records that were read and count for nobody
	began   int64  // the last append
	fresh   int64  // the last append that counts began

	caughtUp  int64 // when all that the log had was read last
	heard     int64 // when a record of the claim in force was read last
	watching  int64 // since when the copy has been caught up, at least now and then
	notBefore int64 // no claim before that

	vouched  int64 // the highest Durable of a report, of this process or, at most, of one before
	retiring int64 // since when the copy is to be dropped; never if it is to stay
}

// Config says what an Owner runs on.
type Config struct {
	Shard      graph.ShardID
	Deployment Deployment
	Topic      [16]byte
	Node       string
	Boot       uint64
	Written    func() uint64 // the generation of encodings that the node writes from its next claim on; nil is 0
	Readable   uint64        // the newest that it reads
	Rules      uint64
	Handlers   uint64
	Tailless   bool           // the shard keeps no log of its own: any handlers and rules go on from its rows
	PartBytes  int            // 0 is the most that a record may have
	Random     func() float64 // 0 to 1: spreads claims after a loss
}

// A State is what a node is to a shard.
type State uint8

// The states.
const (
	Absent    State = iota // no copy
	Copying                // rows come from another node
	Following              // the copy follows the log
	Claiming               // the claim is under way
	Owning                 // the shard is open here
	Yielding               // the shard is being flushed and sealed
	Halted                 // an operator has to decide: see Err
)

func (s State) String() string {
	return [...]string{"absent", "copying", "following", "claiming", "owning", "yielding", "halted"}[s]
}

// Times, in ms.
const (
	Deadline     = 10_000 // of an append: after that its outcome is unknown
	Beat         = 1_000  // an owner appends at least so often
	FreshFor     = 3_000  // local reads after the last append that counts began
	silentFor    = 5_000  // after that an owner that appends nothing has lost the shard: it is no longer fresh
	behindMost   = 1_000  // how long ago a copy that is caught up had all that the log had
	never        = -1 << 60
	backoffLeast = 500
	backoffMost  = 3_000
)

// markEvery is after how many offsets a position is written although no rows are: a restart reads that much again.
const markEvery = 256

// Do is something to be done. The fields that are set are to be done in their order.
type Do struct {
	Apply   *Commit // write the rows and the position, in one batch, before anything that follows
	Decided bool    // the batch of Commit counts, and is Apply: tell the shard once it is written
	Lost    bool    // drop the shard's memory; what it did not answer has an unknown outcome
	Halt    error   // stop, and tell an operator
	Drop    bool    // end a copy under way, and delete the rows and the position
	Copy    bool    // get the rows from another node, then Copied
	Open    bool    // open the shard from its rows
	Yield   bool    // let the shard flush until its log tail is empty, commit by commit, then Seal
	Append  []byte  // append the record, then Appended with Ticket
	Ticket  uint64
	Read    bool // read the log from an offset on, up to another one or, if that is -1, for good
	From    int64
	To      int64
}

// batch is what a shard commits.
type batch struct {
	ops   []byte
	count uint32
}

// appending is an append under way.
type appending struct {
	on     bool
	since  int64 // of its first part
	claim  bool
	data   Data
	rest   []byte // operations of later parts
	record Record
	at     int64 // where it was appended; -1 before that is known
	shards bool  // it is a batch of the shard
	commit *Commit
}

// NewOwner is a shard as a node finds it at its start, with the position of its copy; nil if it has none.
func NewOwner(c Config, at *Position) *Owner {
	o := &Owner{config: c, state: Absent, caughtUp: never, heard: never, retiring: never}
	if o.config.PartBytes == 0 {
		o.config.PartBytes = PartBytes
	}
	if at != nil {
		o.follow(*at)
		o.vouched = at.Next
		if at.Topic != c.Topic {
			o.state, o.err = Halted, fmt.Errorf("shard %d: the journal's topic is not the one that this copy followed; name that one, or go on from the newest copies of all nodes: kindred cluster reseed", c.Shard)
		}
	}
	return o
}

func (o *Owner) follow(at Position) {
	o.fold, o.state, o.copied, o.check = NewFold(o.config.Deployment, at), Following, at.Next, at.Next > 0
	o.caughtUp = never
}

// State is what the node is to the shard now.
func (o *Owner) State() State { return o.state }

// Err says why the shard is halted.
func (o *Owner) Err() error { return o.err }

// Next is the offset that the copy has to read next.
func (o *Owner) Next() int64 {
	if o.fold == nil {
		return 0
	}
	return o.fold.Next()
}

// Reading says which records the owner needs: from an offset on, up to another one or, if that is -1, all that come.
func (o *Owner) Reading() (from, to int64, needed bool) {
	switch o.state {
	case Following, Claiming:
		from = o.fold.Next()
		if o.check {
			from--
		}
		return from, -1, true
	case Owning, Yielding:
		return o.fold.Next(), o.under.at, o.under.on && o.under.at >= 0
	}
	return 0, 0, false
}

// Ready reports whether the copy is caught up: it has all that the log had less than a second ago.
func (o *Owner) Ready(now int64) bool {
	switch o.state {
	case Claiming, Owning, Yielding:
		return true
	case Following:
		return now-o.caughtUp <= behindMost
	}
	return false
}

// Fresh reports whether a local read may be answered: nobody else can have committed before the last append that counts began.
func (o *Owner) Fresh(now int64) bool {
	return (o.state == Owning || o.state == Yielding) && now-o.fresh <= FreshFor
}

// FreshUntil is until when Fresh holds if nothing more is appended; 0 where it does not hold.
func (o *Owner) FreshUntil() int64 {
	if o.state == Owning || o.state == Yielding {
		return o.fresh + FreshFor
	}
	return 0
}

// Strong says after how many appends that count a read that comes now may be answered so that it sees every answer before it:
// when Decided has reached the number. The append that counts for it begins now, or after the one under way. REQUIRES: the
// node owns the shard
func (o *Owner) Strong(now int64) (decided uint64, do []Do) {
	if o.under.on {
		o.asked = o.decided + 2
		return o.asked, nil
	}
	return o.decided + 1, o.barrier(now)
}

// Decided counts the appends under the own claim that count.
func (o *Owner) Decided() uint64 { return o.decided }

// Stand is what placement needs to know of the shard. It does not know whether the copy is surplus.
func (o *Owner) Stand(now int64) place.Stand {
	s := place.Stand{Has: o.state != Absent}
	if o.fold == nil {
		return s
	}
	s.Owner, s.Boot = o.fold.Writer()
	if !o.config.Tailless {
		s.Tail = o.fold.at.Handlers
	}
	s.Unowned = o.fold.at.Claim == NoClaim
	s.Standing = s.Owner == "" && !s.Unowned && now-o.heard <= FreshFor
	s.Silent = s.Owner != "" && o.state == Following && o.Ready(now) && now-max(o.heard, o.watching) > silentFor
	if o.state == Following && s.Owner == o.config.Node {
		s.Owner = "" // that was before a loss or a restart
		s.Unowned, s.Standing, s.Silent = false, false, false
	}
	return s
}

// Placed says what the node should be to the shard. A copy that is not wanted retires.
func (o *Owner) Placed(w place.Wish, now int64) []Do {
	o.wish = w
	if w != place.Absent {
		o.retiring = never
	}
	switch {
	case o.state == Absent && w != place.Absent:
		o.state = Copying
		return []Do{{Copy: true}}
	case o.state == Owning && w != place.Own:
		o.state = Yielding
		return []Do{{Yield: true}}
	case w == place.Absent && o.state == Copying:
		return o.drop()
	case w == place.Absent && o.state == Following && o.retiring == never:
		o.retiring = now
		return nil
	}
	return o.tryClaim(now)
}

func (o *Owner) drop() []Do {
	o.state, o.fold, o.retiring = Absent, nil, never
	return []Do{{Drop: true}}
}

// Copied says that all rows are there, with the position that they are written with.
func (o *Owner) Copied(at Position) []Do {
	if o.state != Copying {
		return nil
	}
	o.follow(at)
	return o.readOn()
}

// Behind says that the log begins only after what is needed next: it was trimmed. A copy that follows is of no use then. An owner
// that was to read what came before its append has lost: nothing can tell it any more that no claim is there.
func (o *Owner) Behind(now int64) []Do {
	switch o.state {
	case Following, Claiming:
	case Owning, Yielding:
		return o.lose(now)
	default:
		return nil
	}
	o.under = appending{}
	o.state, o.fold, o.retiring = Copying, nil, never
	return []Do{{Copy: true}}
}

// End says that all records of the log were read, which ends there now.
func (o *Owner) End(end, now int64) []Do {
	if o.state != Following {
		return nil
	}
	if end < o.fold.Next() {
		return o.halt(fmt.Errorf("shard %d: the journal ends at %d, and this copy has all up to %d: %w", o.config.Shard, end, o.fold.Next(), ErrGap))
	}
	if o.caughtUp == never {
		o.watching = now
	}
	o.caughtUp = now
	return o.tryClaim(now)
}

// Tick lets time pass: a few times a second.
func (o *Owner) Tick(now int64) []Do {
	switch {
	case o.under.on && now-o.under.since >= Deadline:
		return o.lose(now)
	case (o.state == Owning || o.state == Yielding) && !o.under.on && now-o.began >= Beat:
		return o.barrier(now)
	}
	return o.tryClaim(now)
}

// tryClaim claims if all that a claim needs is there.
func (o *Owner) tryClaim(now int64) []Do {
	if o.state != Following || o.wish != place.Own || now < o.notBefore || !o.Ready(now) || !o.fits() {
		return nil
	}
	c := Claim{
		Deployment: o.config.Deployment.ID, Shards: o.config.Deployment.Shards, Node: o.config.Node, Boot: o.config.Boot,
		Readable: o.config.Readable, Handlers: o.config.Handlers, At: now,
	}
	if o.config.Written != nil {
		c.Written = o.config.Written()
	}
	o.state = Claiming
	o.under = appending{on: true, since: now, claim: true, at: -1}
	o.began = now
	return o.append(AppendClaim(nil, &c))
}

// fits reports whether these handlers and rules may replay the log tail.
func (o *Owner) fits() bool {
	at := &o.fold.at
	return o.config.Tailless || at.Handlers == 0 || at.Handlers == o.config.Handlers && at.Rules == o.config.Rules
}

// Voids counts the records that were read and count for nobody.
func (o *Owner) Voids() uint64 { return o.voids }

// Misfit says which handlers and rules have to finish the log tail, if these here do not; 0 otherwise.
func (o *Owner) Misfit() (handlers, rules uint64) {
	if o.fold == nil || o.fits() {
		return 0, 0
	}
	return o.fold.at.Handlers, o.fold.at.Rules
}

// Commit appends a batch of the shard. A shard has one under way at a time. REQUIRES: ops stay as they are until the batch is
// decided or lost
func (o *Owner) Commit(ops []byte, count uint32, now int64) []Do {
	if o.state != Owning && o.state != Yielding {
		return nil // lost meanwhile: the shard was told
	}
	o.batch = &batch{ops, count}
	return o.next(now)
}

// Seal ends an orderly hand-over, once the shard has flushed and was closed.
func (o *Owner) Seal(now int64) []Do {
	if o.state != Yielding {
		return nil
	}
	o.seal = true
	return o.next(now)
}

// Lose gives the shard up, since it has failed, or the client of the journal has.
func (o *Owner) Lose(now int64) []Do {
	if o.state != Claiming && o.state != Owning && o.state != Yielding {
		return nil
	}
	return o.lose(now)
}

// next begins the next append that waits.
func (o *Owner) next(now int64) []Do {
	switch {
	case o.under.on:
		return nil
	case o.batch != nil:
		b := o.batch
		o.batch = nil
		return o.begin(b, false, now)
	case o.seal:
		o.seal = false
		return o.begin(&batch{}, true, now)
	case o.asked > o.decided:
		return o.barrier(now)
	}
	return nil
}

// barrier appends a record that only shows whether the claim is in force.
func (o *Owner) barrier(now int64) []Do { return o.begin(&batch{}, false, now) }

// begin begins the append of a commit.
func (o *Owner) begin(b *batch, sealed bool, now int64) []Do {
	o.seq++
	parts := uint32(1)
	if n := len(b.ops); n > 0 {
		parts = uint32((n + o.config.PartBytes - 1) / o.config.PartBytes)
	}
	o.began = now
	o.under = appending{
		on: true, since: now, rest: b.ops, shards: b.count > 0,
		data: Data{
			Claim: o.claimed, Seq: o.seq, Parts: parts, Sealed: sealed, Rules: o.config.Rules, Handlers: o.config.Handlers,
			At: now, Count: b.count,
		},
	}
	return o.appendPart()
}

// appendPart appends the next part of the commit under way.
func (o *Owner) appendPart() []Do {
	u := &o.under
	n := min(len(u.rest), o.config.PartBytes)
	u.data.Part++
	u.data.Ops, u.rest = u.rest[:n], u.rest[n:]
	u.at = -1
	encoded := AppendData(nil, &u.data)
	u.record = Record{Data: &u.data, Sum: binary.BigEndian.Uint32(encoded[len(encoded)-4:])}
	return o.append(encoded)
}

func (o *Owner) append(encoded []byte) []Do {
	o.ticket++
	return []Do{{Append: encoded, Ticket: o.ticket}}
}

// Appended says where a record was appended, or that this is not known. An answer to an append that was given up says nothing.
func (o *Owner) Appended(ticket uint64, offset int64, err error, now int64) []Do {
	switch {
	case !o.under.on || ticket != o.ticket || o.under.at >= 0:
		return nil
	case err != nil:
		return o.lose(now)
	}
	o.under.at = offset
	if o.under.claim {
		return o.concludeClaim(now)
	}
	next := o.fold.Next()
	switch {
	case offset < next: // where something else is: a client that took a refusal for a success
		return o.lose(now)
	case offset == next:
		return o.read(offset, &o.under.record, now)
	}
	return []Do{{Read: true, From: next, To: offset}}
}

// Read takes a record of the log. REQUIRES: records come in order, from the offset on that Reading says
func (o *Owner) Read(offset int64, r *Record, now int64) []Do {
	switch o.state {
	case Following, Claiming:
	case Owning, Yielding:
		if o.under.at < 0 || offset > o.under.at {
			return nil // the fold takes own records as they are answered
		}
	default:
		return nil
	}
	if o.check && offset >= o.fold.Next()-1 {
		o.check = false
		if offset < o.fold.Next() && r.Sum != o.fold.at.Sum {
			return o.halt(fmt.Errorf("shard %d: the journal has another record at %d than this copy took there: %w", o.config.Shard, offset, ErrGap))
		}
	}
	return o.read(offset, r, now)
}

func (o *Owner) read(offset int64, r *Record, now int64) []Do {
	if c := r.Claim; c != nil && c.Written > o.config.Readable {
		return o.halt(fmt.Errorf("shard %d: offset %d: %w: node %s writes generation %d, and this program reads %d",
			o.config.Shard, offset, ErrNewer, c.Node, c.Written, o.config.Readable))
	}
	verdict, commit, err := o.fold.Take(offset, r)
	if err != nil {
		return o.halt(fmt.Errorf("shard %d: %w", o.config.Shard, err))
	}
	switch verdict {
	case Claimed, Part, Committed:
		o.heard = now
	case Void:
		o.voids++
	}
	if o.state == Owning || o.state == Yielding {
		return o.readOwn(offset, verdict, commit, now)
	}
	var do []Do
	if commit != nil && commit.Count > 0 {
		o.copied = commit.Position.Next
		do = []Do{{Apply: commit}}
	} else {
		do = o.mark()
	}
	if o.state == Claiming && o.under.at >= 0 {
		do = append(do, o.concludeClaim(now)...)
	}
	return do
}

// mark writes the position alone, now and then.
func (o *Owner) mark() []Do {
	at, whole := o.fold.Position()
	if !whole || at.Next-o.copied < markEvery {
		return nil
	}
	o.copied = at.Next
	return []Do{{Apply: &Commit{Position: at}}}
}

// concludeClaim opens the shard if the claim is in force and all before it was read.
func (o *Owner) concludeClaim(now int64) []Do {
	switch {
	case o.fold.Next() <= o.under.at:
		return nil // what was read does not reach the claim yet
	case o.fold.at.Claim != o.under.at, !o.fits():
		return o.lose(now)
	}
	o.claimed, o.seq, o.decided, o.asked, o.fresh = o.under.at, 0, 0, 0, o.under.since
	o.under, o.batch, o.seal = appending{}, nil, false
	o.state = Owning
	return []Do{{Open: true}}
}

// readOwn takes a record between the last own one and the one under way, or that one.
func (o *Owner) readOwn(offset int64, verdict Verdict, commit *Commit, now int64) []Do {
	u := &o.under
	if verdict == Claimed {
		return o.lose(now)
	}
	if commit != nil {
		u.commit = commit // of a broker that wrote it twice, the first
	}
	if offset < u.at {
		return nil
	}
	last := u.data.Part == u.data.Parts
	switch {
	case !last && o.fold.part == u.data.Part:
		return o.appendPart()
	case !last || u.commit == nil || o.fold.at.Seq != o.seq && !u.data.Sealed:
		return o.lose(now)
	}
	return o.decide(now)
}

// decide ends an append that counts.
func (o *Owner) decide(now int64) []Do {
	u := o.under
	o.under = appending{}
	o.decided++
	o.fresh = u.since
	var do []Do
	switch {
	case u.shards:
		o.copied = u.commit.Position.Next
		do = []Do{{Apply: u.commit, Decided: true}}
	case u.data.Sealed:
		o.copied = u.commit.Position.Next
		o.state = Following
		do = []Do{{Apply: u.commit}}
		return append(do, o.readOn()...)
	default:
		do = o.mark()
	}
	return append(do, o.next(now)...)
}

// readOn asks for the log from where the copy stands.
func (o *Owner) readOn() []Do {
	from, to, _ := o.Reading()
	return []Do{{Read: true, From: from, To: to}}
}

// lose gives the shard up. The log will tell what became of an append under way. A broker may have written a record twice, with a claim
// between the two: then the first one counts, and the fold has taken it.
func (o *Owner) lose(now int64) []Do {
	var do []Do
	if c := o.under.commit; c != nil {
		o.copied = c.Position.Next
		do = []Do{{Apply: c}}
	}
	if o.state != Claiming {
		do = append(do, Do{Lost: true})
	}
	o.under, o.batch, o.seal = appending{}, nil, false
	o.state = Following
	o.caughtUp = never
	o.notBefore = now + backoffLeast + int64(o.config.Random()*(backoffMost-backoffLeast))
	return append(do, o.readOn()...)
}

// halt stops the shard on this node.
func (o *Owner) halt(err error) []Do {
	do := []Do{{Lost: o.state == Owning || o.state == Yielding, Halt: err}}
	o.under, o.batch, o.seal = appending{}, nil, false
	o.state, o.err = Halted, err
	return do
}
