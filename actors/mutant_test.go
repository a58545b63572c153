//go:build mutant

package actors

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/internal/mutant"
)

// mutants are the rules that are broken on purpose, one at a time, with what that is.
var mutants = []mutation{
	// Channels (A3).
	{"accept-later", "a message is taken if its number is above the last one, not the next"},
	{"accept-again", "a message is taken whatever its number"},
	{"no-resend", "what was not acknowledged is not sent again"},
	{"prune-on-send", "a message that was sent counts as acknowledged"},
	// External channels (A8).
	{"channel-accept-later", "an event of a channel is taken if its number is above the last one, not the next"},
	{"channel-accept-any", "an event of a channel is taken whatever its number"},
	{"channel-position-early", "a position is told before it is durable"},
	{"replay-without-channels", "positions in channels are not restored from the log"},
	{"meta-without-channels", "the log is cut, and the positions in channels are not written"},
	// The change feed (A9).
	{"feed-apart", "what a commit tells is written before it, and not with it"},
	{"feed-arrivals-forgotten", "identities that come with evidence are not known: merged ids stay"},
	{"feed-departure-untold", "what changed before evidence leaves is not told"},
	{"feed-unchanged", "an identity that was touched is told of, changed or not"},
	// Nothing leaves before it is durable (A1).
	{"send-undurable", "an ack or a tick lets out messages of the commit in flight"},
	{"send-early", "messages leave before the commit"},
	{"ack-early", "messages are acknowledged before the commit"},
	{"answer-early", "inputs are answered before the commit"},
	// Duplicates.
	{"no-memory-of-duplicates", "message ids are not remembered"},
	{"truncate-memory-of-duplicates", "the log is cut, and the message ids in it are not written"},
	{"replay-without-memory-of-duplicates", "message ids in the log are not remembered after a restart"},
	{"content-left-out", "an event is known by its message id alone"},
	// Notes of message ids (A11).
	{"note-lost", "ids of events in the log that were not told are not noted after a restart"},
	{"truncate-untold", "the log is cut where events were not told"},
	{"truncate-memory-of-ids", "the log is cut, and the ids that it tells of are not written"},
	{"replay-without-notes", "ids that other shards told of are not remembered after a restart"},
	// Rows and log (A2, A4, A5).
	{"row-without-applied", "a row does not say up to which record it counts"},
	{"replay-unguarded", "records are replayed into rows that count them"},
	{"replay-without-positions", "positions are not restored from the log: state and position are two writes"},
	{"replay-without-outbox", "messages are not restored from the log"},
	{"replay-timeline-twice", "events that a block holds are added to the timeline again"},
	{"own-messages-unlogged", "messages of a shard to itself are not in the record"},
	{"truncate-unacknowledged", "the log is cut where messages wait for an ack"},
	{"truncate-unwritten", "the log is cut where nodes have no newer row"},
	{"truncate-counters", "the log is cut with the last record, which has the counters"},
	{"meta-without-positions", "the log is cut, and the positions are not written"},
	{"meta-without-numbers", "the log is cut, and the numbers of messages sent are not written"},
	{"passivate-unwritten", "nodes leave memory before they are written"},
	{"known-incomplete", "a new node is not remembered as one that will have a row"},
	{"known-too-early", "nodes made while fingerprints were gathered are not remembered"},
	// What was answered can be seen.
	{"epoch-not-inherited", "what follows from a message is not waited for with it"},
	{"moves-not-recovered", "a recovered forward does not say that evidence is on its way to its parent"},
	{"moving-untold", "a forward does not say that evidence is on its way to its parent"},
	// Hosting (H1 to H5).
	{"absorb-dropped", "a forward drops evidence"},
	{"refusal-dropped", "a forward drops a refusal"},
	{"join-stays", "a forward does not pass a join on"},
	{"join-one-way", "a root that outranks the one that asks does not ask back"},
	{"forward-down", "a root forwards to a node of lower rank"},
	// Who is who does not depend on order (I1, I3), nor what they are called (I4).
	{"arrival-wins", "the trait that arrives last wins"},
	{"assertion-arrival-wins", "the assertion that arrives last wins"},
	{"generic-unnoticed", "evidence that arrives makes no value generic"},
	{"customer-generic-by-its-own", "a customer number goes generic by its own cookies, devices and contacts"},
	{"customer-generic-by-any", "a customer number goes generic by customers of which one person may have many"},
	{"cap-by-arrival", "a component that holds as many identifiers as one person may have hosts nothing new"},
	{"alias-lends-its-strength", "all that an alias carries is linked as strongly as what it says"},
	{"reading-joins", "what a previousId may mean joins people, seen or not"},
	{"reading-seen-unnoticed", "an event of its own does not make more of what a previousId may mean"},
	{"alias-claims-ahead", "what an alias asks for counts as hosted before it has come, where the root outranks it"},
	{"alias-passes-any-rule", "an alias joins two user ids, though the rules refuse it"},
	{"neighbour-untold", "nobody is told of a link at a generic value"},
	{"name-untold", "who was refused a node does not tell the host the value, where that knows the hash"},
}

// mutation is a rule that is broken, with what that is.
type mutation struct{ name, is string }

// rulesMutants are those that only a change of rules can tell.
var rulesMutants = []mutation{
	{"replay-under-other-rules", "the log is replayed under rules that it was not written under"},
	{"sweep-not-followed", "evidence that moves during a sweep is not followed by a recheck"},
	{"refusal-ignored", "a claim on a value that is known to be generic stands, though it was refused"},
}

// scenarioMutants are those that a schedule meets once in a hundred thousand times. Each has a scenario of its own.
var scenarioMutants = []struct {
	mutation
	scenario func() error
}{
	{mutation{"repoint-ahead", "a forward leaves out others on the word of an event that passed it ahead of evidence"}, repointAheadOfEvidence},
}

// TestMutants breaks each rule until a schedule notices. A rule that can be broken unnoticed is not
// tested, or not needed.
func TestMutants(t *testing.T) {
	const most = 20_000 // schedules
	defer mutant.Select("")
	plain := schedule{test: "TestMutants", make: plainly, disk: inMemory}
	changing := schedule{test: "TestMutants", make: underOtherRules, disk: inMemory}
	var survivors []string
	all := slices.Concat(mutants, rulesMutants)
	for i, m := range all {
		sc := plain
		if i >= len(mutants) {
			sc = changing
		}
		died := 0
		why := ""
		for seed := uint64(0); died == 0 && seed < most; seed++ {
			mutant.Select(m.name)
			if _, _, err := sc.run(seed, nil, nil, nil); err != nil {
				died = int(seed) + 1
				why, _, _ = strings.Cut(err.Error(), "\n")
			}
		}
		if died == 0 {
			survivors = append(survivors, fmt.Sprintf("%s: %s", m.name, m.is))
			continue
		}
		t.Logf("%-36s died in schedule %4d: %s", m.name, died, why)
	}
	for _, m := range scenarioMutants {
		all = append(all, m.mutation)
		mutant.Select(m.name)
		err := m.scenario()
		if err == nil {
			survivors = append(survivors, fmt.Sprintf("%s: %s", m.name, m.is))
			continue
		}
		t.Logf("%-36s died in its scenario: %v", m.name, err)
	}
	if len(survivors) > 0 {
		t.Errorf("%d of %d survived %d schedules:\n%s", len(survivors), len(all), most, strings.Join(survivors, "\n"))
	}
	var names []string
	for _, m := range all {
		names = append(names, m.name)
	}
	slices.Sort(names)
	if passed := slices.Sorted(maps.Keys(mutant.Passed())); !slices.Equal(passed, names) {
		t.Errorf("hooks that were passed:\n%v\nwant\n%v", passed, names)
	}
}
