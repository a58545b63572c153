package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/bench/generate"
)

// An inflow is a stream of events at a rate, to any node. A batch begins when it is due, whether others were answered or not, as long as
// there are connections; those that find none are dropped, so the rate that was reached may be lower.
type inflow struct {
	rate        float64 // events per second
	batch       int
	connections int

	mu     sync.Mutex // guards the following
	stream *generate.Generator
	line   []byte
}

// inflowSeed makes other events than those that rounds ingest.
const inflowSeed = 2

func newInflow(c *ClusterConfig, rate float64) (*inflow, error) {
	g := generate.Default()
	g.Events, g.People, g.Loyalty, g.Seed = 100_000_000, c.People, 0, inflowSeed
	g.Span = time.Duration(g.Events) * 10 * time.Millisecond
	stream, err := generate.New(g)
	return &inflow{rate: rate, batch: c.Batch, connections: c.Connections, stream: stream}, err
}

// body makes the next batch.
func (f *inflow) body() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := bytes.NewBufferString(`{"batch":[`)
	for i := range f.batch {
		line, ok := f.stream.Next(f.line[:0])
		if !ok {
			break
		}
		if f.line = line; i > 0 {
			b.WriteByte(',')
		}
		b.Write(line)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

// flowing is an inflow under way.
type flowing struct {
	stop  context.CancelFunc
	done  sync.WaitGroup
	begun time.Time
	avoid atomic.Int32 // the node that gets nothing; -1: all get some
	taken atomic.Int64 // events
	refusals
}

// refusals are answers that a client should not get.
type refusals struct {
	mu    sync.Mutex // guards the following
	count int
	first string
}

// add counts one, unless the caller gave up itself.
func (r *refusals) add(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count++; r.first == "" {
		r.first = err.Error()
	}
}

// since returns how many there are beyond a number, and the first one of all.
func (r *refusals) since(before int) (int, string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count == before {
		return 0, ""
	}
	return r.count - before, r.first
}

// run begins to send.
func (f *inflow) run(ctx context.Context, n *clusterNodes) *flowing {
	ctx, stop := context.WithCancel(ctx)
	running := &flowing{stop: stop, begun: time.Now()}
	running.avoid.Store(-1)
	due := make(chan struct{})
	running.done.Go(func() {
		tick := time.NewTicker(time.Duration(float64(time.Second) * float64(f.batch) / f.rate))
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			select {
			case due <- struct{}{}:
			default:
			}
		}
	})
	for i := range f.connections {
		running.done.Go(func() {
			for turn := i; ; turn++ {
				select {
				case <-due:
				case <-ctx.Done():
					return
				}
				to := turn % len(n.nodes)
				if to == int(running.avoid.Load()) {
					to = (to + 1) % len(n.nodes)
				}
				err := n.post(context.WithoutCancel(ctx), to, f.body()) // what was begun is sent to its end
				if err == nil {
					running.taken.Add(int64(f.batch))
				}
				running.add(context.Background(), err)
			}
		})
	}
	return running
}

// end ends it, and returns the rate that was reached.
func (r *flowing) end() (rate float64) {
	elapsed := time.Since(r.begun)
	r.stop()
	r.done.Wait()
	return math.Round(float64(r.taken.Load()) / elapsed.Seconds())
}

// post sends events to a node, and waits until they are durable and visible.
func (n *clusterNodes) post(ctx context.Context, to int, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+n.nodes[to].address+"/v1/batch", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	_, err = n.ask(request)
	return err
}

// ask sends a request, and returns the body of an answer of status 200.
func (n *clusterNodes) ask(request *http.Request) ([]byte, error) {
	answer, err := n.client.Do(request)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %s: %s", answer.Status, bytes.TrimSpace(text))
	}
	return text, err
}
