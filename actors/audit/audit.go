package audit

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/dedupe"
	"github.com/kindred-id/kindred/storage/row"
)

// Verify reads everything that a store holds and checks it: that every row is one which this version
// writes and stands where it belongs, that logs are whole, and that hosting holds together (H1, H2).
// It writes nothing. Memory is bounded, but for the nodes that records still to be replayed speak of.
//
// What is wrong is in the report. An error is returned when the store can't be read at all, and a
// damaged file is both: a problem, and the end of the reading.
func Verify(ctx context.Context, store storage.Store, progress func(rows uint64)) (*Report, error) {
	v := &verifier{
		store: store, dec: row.NewDecoder(), inner: row.NewDecoder(), progress: progress,
		moving: make(map[graph.NodeKey]struct{}), seqs: make(map[graph.ShardID]uint64), taken: make(map[channel]uint64),
		applied: make(map[graph.NodeKey]uint64), fed: make(map[graph.ShardID]uint64),
	}
	v.report.Rows = make(map[string]uint64)
	for _, pass := range []func(context.Context) error{v.deployment, v.metas, v.logs, v.pending, v.rows, v.hosting, v.totals, v.seen} {
		if err := pass(ctx); err != nil {
			if errors.Is(err, storage.ErrCorrupt) {
				v.problem("store", 0, nil, err)
				break
			}
			return nil, err
		}
	}
	return &v.report, nil
}

// Report is what Verify found.
type Report struct {
	Shards        int               `json:"shards"`
	Rows          map[string]uint64 `json:"rows"` // by space
	Bytes         uint64            `json:"bytes"`
	Identifiers   uint64            `json:"identifiers"` // nodes with a row
	Components    uint64            `json:"components"`  // of these, roots
	Links         uint64            `json:"links"`
	Events        uint64            `json:"events"`          // in the timeline's blocks
	Folded        uint64            `json:"folded"`          // in fragments
	LogRecords    uint64            `json:"log_records"`     // that are kept
	LogEvents     uint64            `json:"log_events"`      // in these
	ProblemsTotal uint64            `json:"problems"`        // of all
	Problems      []Problem         `json:"first,omitempty"` // the first of them
}

// OK tells whether nothing is wrong.
func (r *Report) OK() bool { return r.ProblemsTotal == 0 }

// Problem is one thing that is wrong, and where.
type Problem struct {
	Space   string        `json:"space"`
	Shard   graph.ShardID `json:"shard"`
	Key     string        `json:"key,omitempty"` // of the row, in hexadecimal
	Problem string        `json:"problem"`
}

func (p Problem) String() string {
	if p.Key == "" {
		return fmt.Sprintf("%s, shard %d: %s", p.Space, p.Shard, p.Problem)
	}
	return fmt.Sprintf("%s, shard %d, key %s: %s", p.Space, p.Shard, p.Key, p.Problem)
}

// verifyFirst is how many problems a report lists.
const verifyFirst = 100

// progressRows is how often progress is reported.
const progressRows = 1 << 14

type verifier struct {
	store    storage.Store
	dec      *row.Decoder // of rows
	inner    *row.Decoder // of what rows hold
	progress func(uint64)
	shards   int
	report   Report
	read     uint64

	metaRows map[graph.ShardID]row.ShardMeta
	seqs     map[graph.ShardID]uint64 // last log record
	taken    map[channel]uint64       // number of the last message that a shard took of another's
	// moving are the nodes that messages speak of which no row counts yet, because they are to be replayed
	// or to be sent again: what their rows say may be older than what was acknowledged.
	moving  map[graph.NodeKey]struct{}
	applied map[graph.NodeKey]uint64 // up to which record a node's row counts; of nodes in the log
	fed     map[graph.ShardID]uint64 // number of the last entry of the change feed
	hosted  uint64                   // members, roots left out, that were found to lead to the root which hosts them
	forward uint64
}

// channel names the stream of messages from one shard to another.
type channel struct{ from, to graph.ShardID }

func (v *verifier) problem(space string, id graph.ShardID, key []byte, err error) {
	v.report.ProblemsTotal++
	if len(v.report.Problems) < verifyFirst {
		v.report.Problems = append(v.report.Problems, Problem{space, id, fmt.Sprintf("%x", key), err.Error()})
	}
}

// each calls check with every row of a space, and reports what it returns.
func (v *verifier) each(ctx context.Context, lower, upper []byte, check func(key, value []byte) error) error {
	return v.store.Iterate(lower, upper, func(key, value []byte) error {
		if v.read++; v.read%progressRows == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if v.progress != nil {
				v.progress(v.read)
			}
		}
		if err := check(key, value); err != nil {
			space, id := row.KeySpace(key), graph.ShardID(0)
			if len(key) >= 3 {
				id = graph.ShardID(binary.BigEndian.Uint16(key[1:]))
			}
			v.problem(space.String(), id, key, err)
		}
		return nil
	})
}

func (v *verifier) eachOf(ctx context.Context, space row.Space, check func(key, value []byte) error) error {
	return v.each(ctx, row.AppendSpaceLower(nil, space), row.AppendSpaceUpper(nil, space), check)
}

// deployment reads how many shards there are.
func (v *verifier) deployment(context.Context) error {
	deployment, err := row.ReadDeployment(v.store)
	if err != nil {
		return err
	}
	v.shards, v.report.Shards = deployment.Shards, deployment.Shards
	return nil
}

// metas reads the shards' meta rows.
func (v *verifier) metas(ctx context.Context) error {
	v.metaRows = make(map[graph.ShardID]row.ShardMeta)
	return v.eachOf(ctx, row.SpaceMeta, func(key, value []byte) error {
		id, err := row.ParseMetaKey(key)
		if err != nil {
			return err
		}
		if err := v.shardExists(id); err != nil {
			return err
		}
		meta, err := v.dec.ShardMeta(value)
		if err != nil {
			return err
		}
		for _, p := range meta.Positions {
			if int(p.Source) >= v.shards {
				return fmt.Errorf("position in the channel of shard %d of %d", p.Source, v.shards)
			}
			v.took(graph.ShardID(p.Source), id, p.Seq)
		}
		for _, a := range meta.Sent {
			if int(a.To) >= v.shards {
				return fmt.Errorf("channel to shard %d of %d", a.To, v.shards)
			}
		}
		if meta.Low == 0 || meta.Low > meta.Applied+1 {
			return fmt.Errorf("the log is kept from record %d on, and its rows count up to %d", meta.Low, meta.Applied)
		}
		v.metaRows[id] = meta
		return nil
	})
}

func (v *verifier) shardExists(id graph.ShardID) error {
	if int(id) >= v.shards {
		return fmt.Errorf("shard %d of %d", id, v.shards)
	}
	return nil
}

// belongs tells whether a node may have rows in a shard.
func (v *verifier) belongs(node graph.NodeKey, id graph.ShardID) error {
	if want := node.Shard(v.shards); want != id {
		return fmt.Errorf("node %s belongs to shard %d", node, want)
	}
	return nil
}

// logs reads the records that are kept.
func (v *verifier) logs(ctx context.Context) error {
	for id, meta := range v.metaRows {
		v.seqs[id] = meta.Low - 1
	}
	err := v.eachOf(ctx, row.SpaceLog, func(key, value []byte) error {
		id, seq, err := row.ParseLogKey(key)
		if err != nil {
			return err
		}
		if err := v.shardExists(id); err != nil {
			return err
		}
		last := v.seqs[id]
		v.seqs[id] = seq
		if seq != last+1 {
			return fmt.Errorf("record %d follows %d: the log has a gap", seq, last)
		}
		v.report.LogRecords++
		return v.record(id, seq, value)
	})
	for id, meta := range v.metaRows {
		if last := v.seqs[id]; last < meta.Applied {
			v.problem("log", id, nil, fmt.Errorf("it ends at record %d, and the rows count up to %d", last, meta.Applied))
		}
	}
	return err
}

func (v *verifier) record(id graph.ShardID, seq uint64, value []byte) error {
	data, err := row.Unpack(value)
	if err != nil {
		return err
	}
	record, err := v.dec.Record(data)
	if err != nil {
		return err
	}
	if record.Seq != seq {
		return fmt.Errorf("it says that it is record %d", record.Seq)
	}
	for i := range record.Inputs {
		if err := v.input(id, &record.Inputs[i]); err != nil {
			return fmt.Errorf("input %d: %w", i, err)
		}
	}
	for i, out := range record.Outputs {
		if int(out.To) >= v.shards {
			return fmt.Errorf("output %d: to shard %d of %d", i, out.To, v.shards)
		}
		if row.AreNotes(out.Body) {
			if err := v.notes(out.Body, graph.ShardID(out.To)); err != nil {
				return fmt.Errorf("output %d: %w", i, err)
			}
			continue
		}
		m, err := v.inner.Message(out.Body)
		if err != nil {
			return fmt.Errorf("output %d: %w", i, err)
		}
		if err := v.belongs(m.To, graph.ShardID(out.To)); err != nil {
			return fmt.Errorf("output %d: to shard %d: %w", i, out.To, err)
		}
	}
	for _, ack := range record.Acks {
		if int(ack.To) >= v.shards {
			return fmt.Errorf("acknowledgement of shard %d of %d", ack.To, v.shards)
		}
	}
	return nil
}

func (v *verifier) input(id graph.ShardID, in *row.Input) error {
	switch in.Source {
	case shard.SourceCounters:
		return new(shard.Counters).Decode(in.Body)
	case shard.SourceSkipped:
		from, n := binary.Uvarint(in.Body)
		if n <= 0 || from >= uint64(v.shards) {
			return fmt.Errorf("skipped message of shard %d of %d", from, v.shards)
		}
		v.took(graph.ShardID(from), id, in.Seq)
		return nil
	case shard.SourceChannel:
		_, err := shard.DecodePosition(in)
		return err
	case shard.SourceTold:
		return nil
	case row.ExternalInput:
		e, err := v.inner.Event(in.Body)
		if err != nil {
			return err
		}
		v.report.LogEvents++
		return v.belongs(e.Route(), id)
	}
	if in.Source != row.ExternalMessage && int(in.Source) >= v.shards {
		return fmt.Errorf("message of shard %d of %d", in.Source, v.shards)
	}
	if row.AreNotes(in.Body) {
		v.took(graph.ShardID(in.Source), id, in.Seq)
		return v.notes(in.Body, id)
	}
	m, err := v.inner.Message(in.Body)
	if err != nil {
		return err
	}
	if in.Source != row.ExternalMessage {
		v.took(graph.ShardID(in.Source), id, in.Seq)
	}
	return v.belongs(m.To, id)
}

// notes checks that ids were told to the shard that they belong to.
func (v *verifier) notes(body []byte, to graph.ShardID) error {
	return row.Notes(body, func(h uint64) error {
		if want := graph.ShardID(h % uint64(v.shards)); want != to {
			return fmt.Errorf("note to shard %d of an id that belongs to shard %d", to, want)
		}
		return nil
	})
}

func (v *verifier) took(from, to graph.ShardID, seq uint64) {
	v.taken[channel{from, to}] = max(v.taken[channel{from, to}], seq)
}

// pending reads the log again, and notes the nodes of messages that no row counts yet: inputs newer
// than the row of their node, and outputs that were not taken.
func (v *verifier) pending(ctx context.Context) error {
	return v.eachOf(ctx, row.SpaceLog, func(key, value []byte) error {
		id, seq, err := row.ParseLogKey(key)
		if err != nil {
			return nil // reported before, as is everything that can't be read here
		}
		data, err := row.Unpack(value)
		if err != nil {
			return nil
		}
		record, err := v.dec.Record(data)
		if err != nil {
			return nil
		}
		for i := range record.Inputs {
			if m := v.message(&record.Inputs[i]); m != nil && v.counted(m.To) < seq {
				v.moves(m)
			}
		}
		for _, out := range record.Outputs {
			if out.Seq <= v.taken[channel{id, graph.ShardID(out.To)}] {
				continue
			}
			if m, err := v.inner.Message(out.Body); err == nil {
				v.moves(m)
			}
		}
		return nil
	})
}

// message is what an input of the log asks of a node; nil when it is none.
func (v *verifier) message(in *row.Input) *graph.Message {
	switch in.Source {
	case shard.SourceCounters, shard.SourceSkipped, shard.SourceChannel:
		return nil
	case row.ExternalInput:
		e, err := v.inner.Event(in.Body)
		if err != nil {
			return nil
		}
		return &graph.Message{Kind: graph.KindObserve, To: e.Route(), Event: e}
	}
	m, err := v.inner.Message(in.Body)
	if err != nil {
		return nil
	}
	return m
}

// counted is the log record up to which a node's row counts; 0 when it has none.
func (v *verifier) counted(node graph.NodeKey) uint64 {
	applied, known := v.applied[node]
	if !known {
		if stored, err := v.store.Get(nil, row.AppendNodeKey(nil, node.Shard(v.shards), node)); err == nil {
			_, applied, _ = row.NewDecoder().Node(node, stored)
		}
		v.applied[node] = applied
	}
	return applied
}

// moves notes every node that a message speaks of.
func (v *verifier) moves(m *graph.Message) {
	for _, key := range []graph.NodeKey{m.To, m.Root, m.Via, m.Node.Key, m.Neighbour.Key} {
		v.moving[key] = struct{}{}
	}
	if m.Event != nil {
		for i := range m.Event.Identifiers {
			v.moving[m.Event.Identifiers[i].Key] = struct{}{}
		}
	}
	if m.Evidence != nil {
		for i := range m.Evidence.Members {
			v.moving[m.Evidence.Members[i].Key] = struct{}{}
		}
	}
	if m.Assertion != nil {
		v.moving[m.Assertion.A.Key] = struct{}{}
		v.moving[m.Assertion.B.Key] = struct{}{}
	}
}

// rows reads every row, and checks those of the spaces that no other pass does.
func (v *verifier) rows(ctx context.Context) error {
	return v.each(ctx, []byte{0}, []byte{0xff}, func(key, value []byte) error {
		space, err := row.ParseKey(key)
		if err != nil {
			v.report.Rows["unknown"]++
			return err
		}
		v.report.Rows[space.String()]++
		v.report.Bytes += uint64(len(key) + len(value))
		switch space {
		case row.SpaceNode:
			return v.node(key, value)
		case row.SpaceTimeline:
			return v.block(key, value)
		case row.SpacePosition:
			return v.positions(key, value)
		case row.SpaceFeed:
			return v.feedBlock(key, value)
		case row.SpaceMeta, row.SpaceLog: // read before
			return nil
		}
		return row.Check(v.dec, key, value)
	})
}

// node checks a node's row alone; what it says of other nodes is for hosting.
func (v *verifier) node(key, value []byte) error {
	id, node, err := row.ParseNodeKey(key)
	if err != nil {
		return err
	}
	if err := v.belongs(node, id); err != nil {
		return err
	}
	n, applied, err := v.dec.Node(node, value)
	if err != nil {
		return err
	}
	if applied > v.seqs[id] {
		return fmt.Errorf("it counts up to record %d of the log, which ends at %d", applied, v.seqs[id])
	}
	v.report.Identifiers++
	if n.Component == nil {
		v.forward++
		return nil
	}
	v.report.Components++
	evidence := n.Component.Evidence()
	v.report.Links += uint64(len(evidence.Links))
	for i := range evidence.Members {
		if f := evidence.Members[i].Fragment; f != nil {
			v.report.Folded += f.Events
		}
	}
	at, found := slices.BinarySearchFunc(evidence.Members, node, func(m graph.Member, k graph.NodeKey) int { return k.Compare(m.Key) })
	if !found || !evidence.Members[at].Hosted {
		return errors.New("the root is not a hosted member of its own component")
	}
	return nil
}

func (v *verifier) block(key, value []byte) error {
	id, node, seq, err := row.ParseTimelineKey(key)
	if err != nil {
		return err
	}
	if err := v.belongs(node, id); err != nil {
		return err
	}
	if seq > v.seqs[id] {
		return fmt.Errorf("it counts up to record %d of the log, which ends at %d", seq, v.seqs[id])
	}
	data, err := row.Unpack(value)
	if err != nil {
		return err
	}
	return v.dec.Block(data, func(event []byte) error {
		e, err := v.inner.Event(event)
		if err != nil {
			return err
		}
		v.report.Events++
		if e.Route() != node {
			return fmt.Errorf("an event of node %s is in the timeline of another", e.Route())
		}
		return nil
	})
}

// positions checks a shard's row of positions in external channels.
func (v *verifier) positions(key, value []byte) error {
	id, err := row.ParsePositionKey(key)
	if err != nil {
		return err
	}
	if err := v.shardExists(id); err != nil {
		return err
	}
	stored, err := v.dec.ChannelPositions(value)
	if err != nil {
		return err
	}
	if stored.Applied > v.seqs[id] {
		return fmt.Errorf("it counts up to record %d of the log, which ends at %d", stored.Applied, v.seqs[id])
	}
	return nil
}

// feedBlock checks a block of the change feed, and that it follows the one before.
func (v *verifier) feedBlock(key, value []byte) error {
	id, _, err := row.ParseFeedKey(key)
	if err != nil {
		return err
	}
	if err := v.shardExists(id); err != nil {
		return err
	}
	b, number, err := v.dec.FeedRow(key, value)
	if err != nil {
		return err
	}
	before, seen := v.fed[id]
	v.fed[id] = number
	switch {
	case seen && b.First != before+1:
		return fmt.Errorf("entry %d follows %d: the feed has a gap", b.First, before)
	case b.Record > v.seqs[id]:
		return fmt.Errorf("it was committed with record %d of the log, which ends at %d", b.Record, v.seqs[id])
	}
	return nil
}

// hosting follows every hosted member of every component to its root. When as many forwards were
// found this way as there are, every forward leads to the root that hosts it, and every member is
// hosted once (H2).
func (v *verifier) hosting(ctx context.Context) error {
	err := v.eachOf(ctx, row.SpaceNode, func(key, value []byte) error {
		_, node, err := row.ParseNodeKey(key)
		if err != nil {
			return nil // reported before
		}
		n, _, err := v.dec.Node(node, value)
		if err != nil || n.Component == nil {
			return nil // reported before
		}
		for i, members := 0, n.Component.Evidence().Members; i < len(members); i++ {
			m := &members[i]
			if !m.Hosted || m.Key == node {
				continue
			}
			// Two components that each found a value generic before they met both keep their claim on it:
			// it conducts nothing, and one of them holds its fragment.
			if m.Key.Outranks(node) && !m.Generic && !v.isMoving(m.Key) && !v.isMoving(node) {
				return fmt.Errorf("it hosts node %s, which outranks it (H5)", m.Key)
			}
			root, moving, err := v.root(m.Key)
			if err != nil {
				return err
			}
			switch {
			case root == node:
				v.hosted++
			case !m.Generic && !moving && !v.isMoving(node):
				return fmt.Errorf("it hosts node %s, which leads to %s", m.Key, root)
			}
		}
		return nil
	})
	if err != nil || v.hosted == v.forward || !v.report.OK() {
		return err
	}
	return v.strays(ctx)
}

// strays looks for the forwards whose root doesn't host them.
func (v *verifier) strays(ctx context.Context) error {
	var last *graph.Node // the root that the last forward led to: neighbours often share it
	return v.eachOf(ctx, row.SpaceNode, func(key, value []byte) error {
		_, node, err := row.ParseNodeKey(key)
		if err != nil {
			return nil // reported before
		}
		n, _, err := v.dec.Node(node, value)
		if err != nil || n.Component != nil {
			return nil // reported before, or a root
		}
		root, moving, err := v.root(node)
		if err != nil || moving || v.isMoving(root) {
			return err
		}
		if last == nil || last.Key != root {
			if last, err = v.get(root); err != nil {
				return err
			}
		}
		members := last.Component.Evidence().Members
		if at, found := slices.BinarySearchFunc(members, node, func(m graph.Member, k graph.NodeKey) int { return k.Compare(m.Key) }); !found || !members[at].Hosted {
			return fmt.Errorf("it leads to %s, which does not host it (H2)", root)
		}
		return nil
	})
}

func (v *verifier) isMoving(node graph.NodeKey) bool {
	_, ok := v.moving[node]
	return ok
}

// root follows forwards to a root. It also tells whether the log speaks of any of them.
func (v *verifier) root(node graph.NodeKey) (root graph.NodeKey, moving bool, err error) {
	start := node
	for range shard.MaxHops {
		moving = moving || v.isMoving(node)
		n, err := v.get(node)
		if errors.Is(err, storage.ErrNotFound) {
			if moving {
				return node, true, nil
			}
			return node, false, fmt.Errorf("node %s leads to %s, which has no row", start, node)
		}
		if err != nil {
			return node, moving, err
		}
		if n.Component != nil {
			return node, moving, nil
		}
		node = n.Parent
	}
	return node, moving, fmt.Errorf("more than %d forwards in a row from node %s", shard.MaxHops, start)
}

func (v *verifier) get(node graph.NodeKey) (*graph.Node, error) {
	stored, err := v.store.Get(nil, row.AppendNodeKey(nil, node.Shard(v.shards), node))
	if err != nil {
		return nil, err
	}
	n, _, err := v.inner.Node(node, stored)
	return n, err
}

// totals compares what was folded with what was written down, where nothing is to be replayed.
func (v *verifier) totals(context.Context) error {
	if len(v.moving) == 0 && v.report.OK() && v.report.Folded != v.report.Events {
		v.problem("timeline", 0, nil, fmt.Errorf("it holds %d events, and profiles count %d", v.report.Events, v.report.Folded))
	}
	return nil
}

// seen loads the memory of duplicates of every id, which checks what its rows are together.
func (v *verifier) seen(ctx context.Context) error {
	for id := range v.shards {
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, load := range []func(storage.Store, graph.ShardID, dedupe.Limits) *dedupe.Memory{dedupe.New, dedupe.NewIDs} {
			if err := load(v.store, graph.ShardID(id), dedupe.Limits{}).Load(); err != nil {
				v.problem("seen", graph.ShardID(id), nil, err)
			}
		}
	}
	return nil
}
