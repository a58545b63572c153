package cluster

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/cluster/bulk"
	"github.com/kindred-id/kindred/cluster/proto"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// What engines say to each other: the node is the engine's actors.Network, and the handler of what other nodes send.

// askPatience bounds one question to one node. An engine asks again, and numbers or ids drop what was taken already.
const askPatience = 3 * time.Second

var errNobody = errors.New("cluster: no node is believed to have it")

// Post implements actors.Network.
func (n *Node) Post(p shard.Post) {
	n.posted[p.To].Store(true)
	if to := n.of(p.To); to != nil {
		n.wires.Post(to.member.Remote, uint32(p.To), actors.AppendPost(nil, &p))
	}
}

// Ask implements actors.Network.
func (n *Node) Ask(ctx context.Context, to graph.ShardID, question []byte) ([]byte, error) {
	p := n.of(to)
	if p == nil {
		return nil, fmt.Errorf("shard %d: %w", to, errNobody)
	}
	answer, err := n.ask(ctx, p, to, question)
	n.hint(to, p, err == nil && !actors.IsElsewhere(answer))
	return answer, err
}

func (n *Node) ask(ctx context.Context, p *peer, to graph.ShardID, question []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	defer context.AfterFunc(p.alive, cancel)()
	return n.wires.Ask(ctx, p.member.Remote, uint32(to), proto.KindQuery, question)
}

// AskAll implements actors.Network.
func (n *Node) AskAll(ctx context.Context, question []byte) ([][]byte, error) {
	others := n.others()
	answers := make([][]byte, len(others))
	group, ctx := errgroup.WithContext(ctx)
	for i, p := range others {
		group.Go(func() (err error) {
			answers[i], err = n.ask(ctx, p, 0, question)
			return err
		})
	}
	return answers, group.Wait()
}

// Rows implements actors.Network.
func (n *Node) Rows(ctx context.Context, of graph.ShardID, lower, upper []byte, fn func(key, value []byte) error) error {
	p := n.of(of)
	if p == nil {
		return fmt.Errorf("shard %d: %w", of, errNobody)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.alive, cancel)()
	err := n.client.Copy(ctx, n.bulkOf(p), kindOf(lower, upper), uint32(of), fn)
	n.hint(of, p, !errors.Is(err, bulk.ErrAbsent))
	return err
}

// bulkOf is where another node serves rows.
func (n *Node) bulkOf(p *peer) string {
	if n.config.TLS.Cert == "" {
		return "http://" + p.member.Bulk
	}
	return "https://" + p.member.Bulk
}

// kindOf names a range of rows on the wire.
func kindOf(lower, upper []byte) string {
	return hex.EncodeToString(lower) + "-" + hex.EncodeToString(upper)
}

func parseKind(kind string) (lower, upper []byte, err error) {
	from, to, _ := strings.Cut(kind, "-")
	if lower, err = hex.DecodeString(from); err == nil {
		upper, err = hex.DecodeString(to)
	}
	return lower, upper, err
}

// source gives rows to other nodes. It implements bulk.Source.
type source Node

// Open implements bulk.Source.
func (s *source) Open(ctx context.Context, kind string, id uint32) (bulk.Snapshot, error) {
	if kind == copyKind {
		return (*Node)(s).openCopy(id)
	}
	if kind == momentKind {
		return (*Node)(s).openMoment()
	}
	lower, upper, err := parseKind(kind)
	if err != nil {
		return nil, fmt.Errorf("cluster: %q names no rows: %w", kind, err)
	}
	if int(id) >= s.deployment.Shards {
		return nil, bulk.ErrAbsent
	}
	at, err := s.engine.Load().Snapshot(ctx, graph.ShardID(id), lower, upper)
	if errors.Is(err, actors.ErrLost) {
		return nil, bulk.ErrAbsent
	}
	if err != nil {
		return nil, err
	}
	return &rows{at, lower, upper}, nil
}

// rows are those of a range at one moment.
type rows struct {
	storage.Snapshot
	lower, upper []byte
}

// Head implements bulk.Snapshot.
func (s *rows) Head() []byte { return nil }

// Rows implements bulk.Snapshot.
func (s *rows) Rows(after []byte, fn func(key, value []byte) error) error {
	lower := s.lower
	if len(after) > 0 && bytes.Compare(after, lower) >= 0 {
		lower = append(bytes.Clone(after), 0)
	}
	return s.Iterate(lower, s.upper, fn)
}

// handler takes what other nodes send. It implements proto.Handler.
type handler Node

// Envelope implements proto.Handler.
func (h *handler) Envelope(to uint32, body []byte) {
	p, err := actors.ParsePost(body)
	if err != nil || uint32(p.To) != to {
		h.logger.Warn("an envelope of another node cannot be read", "error", err)
		return
	}
	h.engine.Load().Receive(p)
}

// Ask implements proto.Handler.
func (h *handler) Ask(to uint32, _ proto.Kind, body []byte, answer func([]byte)) {
	select {
	case h.asked <- struct{}{}:
	default:
		return // it asks again
	}
	h.tasks.Go(func() {
		defer func() { <-h.asked }()
		if int(to) == h.deployment.Shards {
			answer(h.shared.answer(body))
			return
		}
		ctx, cancel := context.WithTimeout(h.ctx, answerPatience)
		defer cancel()
		answer(h.engine.Load().Answer(ctx, body))
	})
}

// answerPatience bounds an answer: nobody waits for it any more.
const answerPatience = 10 * time.Second
