package shard_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/hold"
	"github.com/kindred-id/kindred/graph"
)

// someEvent is a condition that each person with an event meets.
const someEvent = `{"signal":{"type":"page"},"count":{"at_least":1}}`

// cast starts engines. The first has the shard of a cookie, whose person is in audience x. The second has the shard of the user id that
// the person gets.
func cast(engines int) (t *troupe, cookie, user graph.Identifier) {
	t = newTroupe(engines, true)
	cookie, user = identifierOf("anonymous_id", 0), identifierOf("user_id", 1)
	t.event(0, 1, graph.TypePage, cookie)
	t.define(someEvent)
	return t, cookie, user
}

// passWaits deletes the audience that a person is in while the person is on the way from one engine to another, sent on behalf of an
// event that an engine took: everybody has left it once what is on the way has landed, and not before.
func passWaits(taker int) func() error {
	return func() error {
		t, cookie, user := cast(3)
		t.await("x serves", func() bool { return t.told(0, 1) && t.told(1, 1) && t.told(2, 1) })
		t.mu.Lock()
		t.holds = func(m *graph.Message) bool { return m.Kind == graph.KindAbsorb }
		t.mu.Unlock()
		t.event(taker, 2, graph.TypeIdentify, cookie, user)
		t.await("the person leaves", func() bool {
			t.mu.Lock()
			defer t.mu.Unlock()
			return t.held > 0
		})
		if taker == 2 {
			t.end(2)
		}
		t.define()
		early := t.happens(func() bool { return t.told(0, 2) })
		t.mu.Lock()
		t.holds = nil
		t.mu.Unlock()
		t.await("all are told that x is deleted", func() bool { return t.told(0, 2) && t.told(1, 2) })
		var entered, exited, other int
		t.await("the person has left x", func() bool {
			entered, exited, other = t.memberships()
			return exited+other > 0
		})
		if entered != 1 || exited != 1 || other != 0 || early {
			t.fail(fmt.Errorf("%d entered x, %d left it, %d left what nobody knows; the pass was over before the person arrived: %v", entered, exited, other, early))
		}
		return t.close()
	}
}

// olderWaits lets a person go to an engine that does not know yet that the audience serves which the person is in.
func olderWaits() error {
	t, cookie, user := cast(2)
	t.listen(1, false)
	t.await("x serves", func() bool {
		entered, _, _ := t.memberships()
		return entered > 0
	})
	t.event(0, 2, graph.TypeIdentify, cookie, user)
	quiet := func() bool {
		stats, err := t.at(0).Stats(t.ctx())
		t.fail(err)
		return stats.Waiting == 0
	}
	t.await("messages arrive, or are refused three times", func() bool {
		t.mu.Lock()
		thrice := false
		for _, n := range t.refused {
			thrice = thrice || n > 2
		}
		t.mu.Unlock()
		return thrice || quiet()
	})
	t.listen(1, true)
	t.await("everybody was evaluated", func() bool { return t.told(0, 1) && t.told(1, 1) && quiet() })
	if entered, exited, other := t.memberships(); entered != 1 || exited != 0 || other != 0 {
		t.fail(fmt.Errorf("%d entered x, %d left it, %d others", entered, exited, other))
	}
	return t.close()
}

// behindRefuses gives the shard of a person to an engine that does not know the audience that the person is in.
func behindRefuses() error {
	t, _, _ := cast(2)
	t.await("x serves", func() bool { return t.told(0, 1) })
	t.listen(1, false)
	t.define()
	t.await("the person has left x", func() bool {
		_, exited, _ := t.memberships()
		return exited > 0
	})
	if err := t.move(0, 1); !errors.Is(err, actors.ErrBehind) {
		t.fail(fmt.Errorf("an engine takes a shard whose definitions it does not know: %w", err))
	}
	t.listen(1, true)
	t.fail(t.at(1).Take(0))
	return t.close()
}

// holdNotices lets a person go to an engine after that engine has said what is under way there, and before the other one does, where the
// person is on the way until then: each says that nothing is, and there was no such moment before both had said so.
func holdNotices() error {
	t, cookie, user := cast(2)
	t.await("x serves", func() bool { return t.told(0, 1) && t.told(1, 1) })
	t.holding(func(m *graph.Message) bool { return m.Kind == graph.KindAbsorb })
	t.event(0, 2, graph.TypeIdentify, cookie, user)
	t.await("the person leaves", func() bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.held > 0
	})
	asked := 0
	t.mu.Lock()
	t.asks = func(self int) {
		if self != 1 {
			return
		}
		if asked++; asked != 2 { // it shuts gates, looks, looks again
			return
		}
		t.holding(nil)
		t.await("the person arrives", func() bool {
			stats, err := t.at(0).Stats(t.ctx())
			t.fail(err)
			return stats.Waiting == 0
		})
	}
	t.mu.Unlock()
	used := false
	_, err := t.at(1).Hold(t.ctx(), func(context.Context) error {
		used = true
		return nil
	})
	if !used || !errors.Is(err, hold.ErrLost) {
		t.fail(fmt.Errorf("a hold that was used (%v) ends with %w, want that it was lost", used, err))
	}
	return t.close()
}

// holdAsksTheJournal holds engines of which one does not know that another, which nobody sees, has claimed its shard.
func holdAsksTheJournal() error {
	t, _, _ := cast(2)
	t.await("x serves", func() bool { return t.told(0, 1) && t.told(1, 1) })
	if _, err := t.at(0).Hold(t.ctx(), func(context.Context) error { return nil }); err != nil {
		t.fail(err)
	}
	t.mu.Lock()
	t.claimed = new(graph.ShardID)
	*t.claimed = 1
	t.mu.Unlock()
	if _, err := t.at(0).Hold(t.ctx(), func(context.Context) error { return nil }); !errors.Is(err, hold.ErrLost) {
		t.fail(fmt.Errorf("a hold ends with %w, want that it was lost", err))
	}
	return t.close()
}
