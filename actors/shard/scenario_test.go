package shard_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/audience"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// scenarios are for mutants that a schedule does not meet, or once in a hundred thousand times.
var scenarios = map[string]func() error{
	"repoint-ahead":            repointAheadOfEvidence,
	"feed-trim-apart":          trimIsOfTheShard,
	"feed-trim-unacknowledged": trimIsOfTheShard,
	"feed-receiver-too-early":  trimIsOfTheShard,
	"feed-trim-lost":           trimIsOfTheShard,
	"catalog-blind":            changesHaveAnOrder,
	"catalog-past-the-shard":   catalogKeepsToItsRows,
	"closed-channel-taken":     closedChannelIsRefused,
	"rules-changed-unflushed":  rulesWaitForTheLog,
	"told-unmerged":            mergedAndGone,
	"pass-unwaited":            passWaits(0),
	"pass-alone":               passWaits(1),
	"pass-without-departed":    passWaits(2),
	"newer-taken":              olderWaits,
	"behind-taken":             behindRefuses,
	"hold-changed":             holdNotices,
	"hold-unconfirmed":         holdAsksTheJournal,
}

// TestScenarios: what kills the mutants does not fail without them.
func TestScenarios(t *testing.T) {
	for name, run := range scenarios {
		if err := run(); err != nil {
			t.Errorf("scenario of %s: %v", name, err)
		}
	}
}

// changesHaveAnOrder lets another writer make a change of the catalog between what a change reads and its commit.
func changesHaveAnOrder() error {
	store := storage.NewMemStore()
	rows := catalog.New(store, nil)
	raise := func(between func() error) func(*catalog.Change) error {
		return func(change *catalog.Change) error {
			channel, err := row.ReadChannel(change, 1)
			if err != nil && !errors.Is(err, storage.ErrNotFound) {
				return err
			}
			if err := between(); err != nil {
				return err
			}
			channel.Name, channel.Floor = "a", channel.Floor+1
			channel.Put(change.Batch(), 1)
			return nil
		}
	}
	idle := func() error { return nil }
	const others = 2
	for n := range int64(2) { // of a row that is absent, and of one that is there
		made := 0
		other := func() error {
			if made++; made > others {
				return nil
			}
			return rows.Change(context.Background(), raise(idle))
		}
		if err := rows.Change(context.Background(), raise(other)); err != nil {
			return err
		}
		want := (n + 1) * (others + 1)
		got, err := row.ReadChannel(store, 1)
		if err != nil {
			return err
		}
		if got.Floor != want {
			return fmt.Errorf("a floor that was raised %d times by one is %d", want, got.Floor)
		}
	}
	return nil
}

// catalogKeepsToItsRows tries to write a row of a shard past the shard.
func catalogKeepsToItsRows() error {
	store := storage.NewMemStore()
	err := catalog.New(store, nil).Change(context.Background(), func(change *catalog.Change) error {
		(&row.FeedTrim{Number: 7}).Put(change.Batch(), 0)
		return nil
	})
	trim, failed := row.ReadFeedTrim(store, 0)
	if failed != nil {
		return failed
	}
	if trim.Number > 0 || err == nil {
		return fmt.Errorf("the catalog wrote a row of a shard, %+v, or did not refuse to", trim)
	}
	return nil
}

// closedChannelIsRefused delivers an event of an external channel that was closed.
func closedChannelIsRefused() error {
	d := &duo{store: storage.NewMemStore(), rules: graph.DefaultRules(), enc: row.NewEncoder(), open: &shard.OpenChannels{}}
	if err := d.start(); err != nil {
		return err
	}
	d.open.Open(1)
	d.open.Close(1)
	x := identifierOf("anonymous_id", 1)
	e := &graph.Event{ID: []byte("m"), Seen: 1, Type: graph.TypeTrack, Identifiers: []graph.Identifier{x}}
	outcome := new(shard.Outcome)
	d.step(1, shard.Input{Event: e, Body: d.enc.Event(nil, e, true), Outcome: outcome, Channel: 1, Prev: shard.NoNumber, Seq: 5})
	if at := d.shards[1].Position(1); *outcome != shard.OutOfTurn || at != shard.NoNumber {
		return errors.Join(d.err, fmt.Errorf("an event of a closed channel has outcome %d, and the shard has taken the channel up to %d", *outcome, at))
	}
	return d.err
}

// rulesWaitForTheLog changes the rules of a shard that has not written what was decided under those before.
func rulesWaitForTheLog() error {
	d := &duo{store: storage.NewMemStore(), rules: graph.DefaultRules(), enc: row.NewEncoder()}
	if err := d.start(); err != nil {
		return err
	}
	d.event(identifierOf("anonymous_id", 1))
	other := *d.rules
	other.Version++
	if d.err != nil {
		return d.err
	}
	if err := d.shards[1].ChangeRules(&other, shard.Plain{Rules: &other}, nil); err == nil {
		return errors.New("the rules changed over a record that rows lack")
	}
	return nil
}

// mergedAndGone lets two people become one at a root that leaves in the same step: readers are told that they are one, and what was told
// of their audiences leaves as that one's.
func mergedAndGone() error {
	where, err := audience.Parse([]byte(`{"identifier":"anonymous_id"}`))
	if err != nil {
		return err
	}
	state, err := (*audiences.State)(nil).Next([]audience.Definition{{Key: "x", Where: where}})
	if err != nil {
		return err
	}
	if state, err = state.Fill(1); err != nil {
		return err
	}
	d := &duo{store: storage.NewMemStore(), rules: graph.DefaultRules(), enc: row.NewEncoder(), live: state.Live}
	if err := d.start(); err != nil {
		return err
	}
	high, low := identifierOf("anonymous_id", 0), identifierOf("anonymous_id", 1)
	for i := 0; high.Key.Compare(low.Key) < 0; i++ {
		value := fmt.Sprint("low", i)
		if key := oracle.Key("anonymous_id", value); key.Shard(2) == 1 {
			low.Key, low.Value = key, []byte(value)
		}
	}
	user := identifierOf("user_id", 1)
	d.event(high)
	d.event(low)
	d.event(high, low)
	d.deliver(1, 1)     // low leaves for high
	d.event(user, high) // and high is to leave for user
	if d.err == nil && len(d.wires[0]) != 2 {
		return fmt.Errorf("%d messages wait for shard 0, want the evidence of the one and a claim to the other", len(d.wires[0]))
	}
	d.step(0, d.next(0), d.next(0))
	var told []graph.ToldPerson
	for _, w := range d.wires[1] {
		m, err := row.NewDecoder().Message(w.Body)
		if err != nil {
			return err
		}
		if m.Kind == graph.KindAbsorb {
			told = append(told, m.Evidence.Told...)
		}
	}
	if d.err == nil && (len(told) != 1 || told[0].ID != high.Key || len(told[0].Audiences) != 1) {
		return fmt.Errorf("what was told leaves as %+v, want one leave, under %s", told, high.Key)
	}
	return d.err
}
