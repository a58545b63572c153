//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// counter is the model of a person of whom events are counted: input true adds one.
var counter = porcupine.Model{
	Init: func() any { return 0 },
	Step: func(state, add, seen any) (bool, any) {
		if add == true {
			return true, state.(int) + 1
		}
		return state == seen, state
	},
}

// TestClusterStrongReads: strong reads are linearizable over three processes, of which one is paused, goes on without knowing what
// happened meanwhile, and one is killed: an order of all operations explains each read of each node.
func TestClusterStrongReads(t *testing.T) {
	if testing.Short() {
		t.Skip("three brokers take long to start")
	}
	seed := freshSeed(t)
	c := newClusterTest(t)
	kindred(t, c.bin, "cluster", "init", "--cluster", c.name, "--journal-brokers", c.brokers, "--secret-file", c.secret, "--shards", strconv.Itoa(clusterShards))
	for _, m := range c.members {
		c.start(t, m)
	}
	c.ready(t)

	const people, clients, least = 10, 8, 10_000
	begin := time.Now()
	var operations, reads, number atomic.Int64
	var mu sync.Mutex // guards the following
	history := make([][]porcupine.Operation, people)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var asking sync.WaitGroup
	for client := range clients {
		asking.Go(func() {
			rng := rand.New(rand.NewPCG(seed, 51+uint64(client)))
			for ctx.Err() == nil {
				person, add := rng.IntN(people), rng.IntN(4) == 0
				op := porcupine.Operation{ClientId: client, Input: add, Output: 0, Call: int64(time.Since(begin))}
				id := number.Add(1)
				for { // at one node, and then at another one
					at := c.members[rng.IntN(len(c.members))].listen
					var err error
					if add {
						err = count(at, person, id)
					} else {
						op.Call = int64(time.Since(begin))
						op.Output, err = counted(at, person)
					}
					if err == nil {
						break
					}
					if ctx.Err() != nil {
						if !add {
							return
						}
						continue // what became of it has to be known
					}
				}
				op.Return = int64(time.Since(begin))
				operations.Add(1)
				if !add {
					reads.Add(1)
				}
				mu.Lock()
				history[person] = append(history[person], op)
				mu.Unlock()
			}
		})
	}
	for round, m := range append(c.members, c.members[0]) {
		if err := m.process.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(5+round) * time.Second) // others take its shards
		if err := m.process.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		done := operations.Load() + least/8
		eventually(t, "operations go on after a pause", func() error { return atLeast(&operations, done) })
	}
	c.members[2].kill()
	done := operations.Load() + least/8
	eventually(t, "operations go on after a death", func() error { return atLeast(&operations, done) })
	c.start(t, c.members[2])
	c.ready(t)
	eventually(t, "enough operations", func() error { return atLeast(&operations, least) })
	stop()
	asking.Wait()
	t.Logf("%d operations in %s, of which %d are strong reads", operations.Load(), time.Since(begin).Round(time.Second), reads.Load())
	for person, operations := range history {
		switch porcupine.CheckOperationsTimeout(counter, operations, time.Minute) {
		case porcupine.Illegal:
			t.Errorf("no order explains the %d operations of person %d", len(operations), person)
		case porcupine.Unknown:
			t.Errorf("it was not found out in a minute whether an order explains the %d operations of person %d", len(operations), person)
		case porcupine.Ok:
		}
	}
}

func atLeast(n *atomic.Int64, want int64) error {
	if have := n.Load(); have < want {
		return fmt.Errorf("%d operations, want %d", have, want)
	}
	return nil
}

// impatient is a client that does not wait for a process that is paused.
var impatient = &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 32}}

// count adds an event of a person.
func count(at string, person int, id int64) error {
	res, err := impatient.Post("http://"+at+"/v1/batch", "application/json", strings.NewReader(
		fmt.Sprintf(`{"batch":[{"type":"track","event":"Seen","messageId":"m%d","timestamp":"2026-01-01T00:00:00Z","userId":"u%d"}]}`, id, person)))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		err = errors.New(res.Status)
	}
	return errors.Join(err, res.Body.Close())
}

// counted reads how many events of a person there are.
func counted(at string, person int) (n int, err error) {
	res, err := impatient.Get(fmt.Sprintf("http://%s/v1/profiles/user_id:u%d?fields=events&read=strong", at, person))
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusNotFound:
		return 0, nil
	case http.StatusOK:
		var p struct{ Events int }
		err = json.NewDecoder(res.Body).Decode(&p)
		return p.Events, err
	}
	return 0, errors.New(res.Status)
}
