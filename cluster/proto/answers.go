package proto

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// ErrNoAnswer is returned when a peer did not answer in time, or the way to it is full.
var ErrNoAnswer = errors.New("cluster: no answer")

// askAgain is the time after which a request is sent once more: the first one may have met a connection that was closing,
// and the second one the next such. The time doubles with each.
const askAgain = time.Second

// answersName is the process that answers are sent to.
const answersName = "answers"

// waitingMost bounds the requests of a node that wait for an answer.
const waitingMost = 100_000

// answers hands what arrives to those who wait. It implements actor.Process; the number of a request travels in its PID.
type answers struct {
	mu      sync.Mutex // guards the following
	last    uint32
	waiting map[uint32]chan []byte // each of one
}

func newAnswers() *answers { return &answers{waiting: map[uint32]chan []byte{}} }

// begin returns a number that nobody waits under, and where its answer comes.
func (a *answers) begin() (uint32, <-chan []byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waiting) >= waitingMost {
		return 0, nil, fmt.Errorf("%w: %d requests wait already", ErrNoAnswer, waitingMost)
	}
	for {
		a.last++
		if _, taken := a.waiting[a.last]; !taken && a.last != 0 { // 0 is no number to the library
			c := make(chan []byte, 1)
			a.waiting[a.last] = c
			return a.last, c, nil
		}
	}
}

func (a *answers) end(number uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, number)
}

// SendUserMessage implements actor.Process.
func (a *answers) SendUserMessage(pid *actor.PID, sent any) {
	m, ok := actor.UnwrapEnvelopeMessage(sent).(*message)
	if !ok {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.waiting[pid.RequestId]; c != nil {
		select {
		case c <- m.body:
		default: // the answer to the repetition
		}
	}
}

// SendSystemMessage implements actor.Process.
func (a *answers) SendSystemMessage(*actor.PID, any) {}

// Stop implements actor.Process.
func (a *answers) Stop(*actor.PID) {}

// wait sends a request, again after askAgain, and waits for an answer to any of them.
func (a *answers) wait(ctx context.Context, send func(number uint32) bool) ([]byte, error) {
	number, answer, err := a.begin()
	if err != nil {
		return nil, err
	}
	defer a.end(number)
	sent := send(number)
	pause := askAgain
	again := time.NewTimer(pause)
	defer again.Stop()
	for {
		select {
		case body := <-answer:
			return body, nil
		case <-again.C:
			sent = send(number) || sent
			pause *= 2
			again.Reset(pause)
		case <-ctx.Done():
			if !sent {
				return nil, fmt.Errorf("%w: the way to the node is full: %w", ErrNoAnswer, ctx.Err())
			}
			return nil, fmt.Errorf("%w: %w", ErrNoAnswer, ctx.Err())
		}
	}
}
