package actors

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/backoff"
)

// A Network reaches the shards that are with other processes of the deployment. It knows, or believes to know, which process has
// a shard. It carries bytes, and looks into none: envelopes as AppendPost writes them, questions and answers as they are.
//
//	here                               there
//	routes.post ──► Post ────────────► Engine.Receive        may be lost, repeated, delayed, overtaken
//	far.pose ─────► Ask ─────────────► Engine.Answer ──┐     may be lost, or have its effect and no answer
//	   ▲                                               │
//	   └───────────────────────────────────────────────┘
//	far.everybody ► AskAll ──────────► Engine.Answer of each
//	far.rows ─────► Rows ────────────► Engine.Rows           a stream
//
// Nothing rests on what it believes: a process that does not have a shard says so, and the caller asks again.
type Network interface {
	// Post carries an envelope to the process that has a shard, which hands it to Engine.Receive. It is called on goroutines that
	// run shards, must not block, and may keep the envelope.
	Post(shard.Post)
	// Ask carries a question to the process that has a shard, and returns what Engine.Answer returned there. An error says that
	// nobody answered: what became of the question is unknown.
	Ask(ctx context.Context, to graph.ShardID, question []byte) (answer []byte, err error)
	// AskAll carries a question to all other processes that may have a shard, and returns their answers, in any order. It fails
	// if one did not answer.
	AskAll(ctx context.Context, question []byte) (answers [][]byte, err error)
	// Rows calls fn with the rows from lower to below upper that Engine.Rows has at the process that has a shard. It returns the
	// error of fn as it is. Another error may come in the middle.
	Rows(ctx context.Context, of graph.ShardID, lower, upper []byte, fn func(key, value []byte) error) error
}

// elsewherePatience bounds how long a question or a delivery looks for the process that has a shard: a shard moves within a second,
// and a process that died is noticed within a few.
const elsewherePatience = 10 * time.Second

// elsewhereAgain is the wait before it looks again.
var elsewhereAgain = backoff.Doubling{First: time.Millisecond, Most: 100 * time.Millisecond}

// far is where the shards of other processes are reached: it asks again until a process has the shard.
type far struct {
	*pool
	*calls
}

// calls are the questions to other processes that nobody waits for by a call of their own.
type calls struct {
	ending context.Context //nolint:containedctx // of all of them: it ends with the engine
	cancel func()
	group  sync.WaitGroup

	mu    sync.Mutex // guards the following
	ended bool
}

func newFar(p *pool) far {
	c := &calls{}
	c.ending, c.cancel = context.WithCancel(context.Background())
	return far{p, c}
}

// start runs a call on a goroutine of its own. It reports whether it does: not after end.
func (c *calls) start(call func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.group.Go(call)
	}
	return !c.ended
}

// end ends all calls, and waits until none is left.
func (c *calls) end() {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.cancel()
	c.group.Wait()
}

// reach asks a shard, here or there, until one that has it answers. Here runs a function with the shard; there asks the network.
// It fails with ErrLost after elsewherePatience. Without a network, only here is asked, once.
func (f far) reach(ctx context.Context, id graph.ShardID, here func() error, there func(context.Context) error) error {
	if f.network == nil {
		return here()
	}
	waited := time.Duration(0)
	for attempt := 0; ; attempt++ {
		var err error
		if f.runners[id].here() {
			err = here()
		} else {
			err = there(ctx)
		}
		if !errors.Is(err, ErrLost) || ctx.Err() != nil || f.Err() != nil || waited > elsewherePatience {
			return err
		}
		wait := elsewhereAgain.Wait(attempt)
		waited += wait
		if err := backoff.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// pose asks the process that has a shard, and returns its answer.
func (f far) pose(ctx context.Context, to graph.ShardID, kind questionKind, body []byte) (*wireReader, error) {
	answer, err := f.network.Ask(ctx, to, appendQuestion(nil, kind, to, f.clock.Now(), body))
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("shard %d: %w: no process answers for it: %w", to, ErrLost, err)
	}
	return f.readAnswer(to, answer)
}

// readAnswer reads what a process has answered.
func (f far) readAnswer(to graph.ShardID, answer []byte) (*wireReader, error) {
	status, clock, body, err := readAnswer(answer)
	if err != nil {
		return nil, err
	}
	f.clock.Raise(clock)
	switch status {
	case statusElsewhere:
		return nil, &lostError{id: to}
	case statusBacklog:
		return nil, ErrBacklog
	case statusFailed:
		return nil, fmt.Errorf("the process that has shard %d: %s", to, body.b)
	}
	return body, nil
}

// everybody asks all other processes.
func (f far) everybody(ctx context.Context, kind questionKind, body []byte) ([]*wireReader, error) {
	answers, err := f.network.AskAll(ctx, appendQuestion(nil, kind, 0, f.clock.Now(), body))
	if err != nil {
		return nil, err
	}
	read := make([]*wireReader, len(answers))
	for i := range answers {
		if read[i], err = f.readAnswer(0, answers[i]); err != nil {
			return nil, err
		}
	}
	return read, nil
}
