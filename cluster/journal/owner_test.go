package journal

import (
	"errors"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/cluster/place"
)

// A bench is one owner and the log that it sees.
type bench struct {
	t     *testing.T
	o     *Owner
	now   int64
	last  Do // the last append
	all   []Do
	lost  bool
	count int
}

func newBench(t *testing.T, change func(*Config)) *bench {
	t.Helper()
	c := Config{Shard: 2, Deployment: testDeployment, Topic: [16]byte{9}, Node: "a", Boot: 1, Handlers: 1, Rules: 7, PartBytes: 4, Random: func() float64 { return 0.5 }}
	if change != nil {
		change(&c)
	}
	at := Start(c.Topic)
	return &bench{t: t, o: NewOwner(c, &at), now: 1_000_000}
}

func (b *bench) did(do []Do) []Do {
	b.all = do
	for _, d := range do {
		if d.Append != nil {
			b.last = d
			b.count++
		}
		b.lost = b.lost || d.Lost
	}
	return do
}

// own lets the owner claim at offset 0.
func (b *bench) own() *bench {
	b.t.Helper()
	b.did(b.o.End(0, b.now))
	b.did(b.o.Placed(place.Own, b.now))
	r := b.record()
	b.did(b.o.Appended(b.last.Ticket, 0, nil, b.now))
	b.did(b.o.Read(0, &r, b.now))
	b.state(Owning)
	return b
}

func (b *bench) record() Record {
	b.t.Helper()
	r, err := Parse(b.last.Append)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *bench) state(want State) {
	b.t.Helper()
	if got := b.o.State(); got != want {
		b.t.Fatalf("%v, want %v", got, want)
	}
}

func (b *bench) decided() bool {
	for _, d := range b.all {
		if d.Decided {
			return true
		}
	}
	return false
}

func TestOwnerCommitsInParts(t *testing.T) {
	b := newBench(t, nil).own()
	b.did(b.o.Commit([]byte("abcdefghij"), 3, b.now))
	for part := range int64(3) {
		if r := b.record(); r.Data.Part != uint32(part)+1 || r.Data.Parts != 3 {
			t.Fatalf("part %d of %d", r.Data.Part, r.Data.Parts)
		}
		if b.decided() {
			t.Fatalf("decided before part %d", part+1)
		}
		b.did(b.o.Appended(b.last.Ticket, 1+part, nil, b.now))
	}
	if !b.decided() || string(b.all[0].Apply.Ops) != "abcdefghij" || b.all[0].Apply.Position.Next != 4 {
		t.Fatalf("%+v, want the commit", b.all)
	}
}

func TestOwnerLoses(t *testing.T) {
	other := claimOf("b")
	for name, fn := range map[string]func(*bench){
		"an error":                 func(b *bench) { b.did(b.o.Appended(b.last.Ticket, 0, errors.New("no"), b.now)) },
		"the deadline":             func(b *bench) { b.did(b.o.Tick(b.now + Deadline)) },
		"an offset that cannot be": func(b *bench) { b.did(b.o.Appended(b.last.Ticket, 0, nil, b.now)) },
		"a claim in between": func(b *bench) {
			b.did(b.o.Appended(b.last.Ticket, 2, nil, b.now))
			b.did(b.o.Read(1, &other, b.now))
		},
		"a failure of the shard": func(b *bench) { b.did(b.o.Lose(b.now)) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil).own()
			b.did(b.o.Commit([]byte("x"), 1, b.now))
			fn(b)
			b.state(Following)
			if !b.lost || b.decided() {
				t.Fatalf("%+v, want the shard lost", b.all)
			}
			before := b.count
			b.o.Placed(place.Own, b.now)
			for at := range int64(30) { // half of 0.5 to 3 s, at a deadline after that
				b.did(b.o.End(b.o.Next(), b.now+at*100))
				if claimed := b.count > before; claimed != (at*100 >= 1750) && name != "the deadline" {
					t.Fatalf("claimed again after %d ms: %t", at*100, claimed)
				}
				if b.count > before {
					break
				}
			}
		})
	}
}

// A broker may write a record twice, with a claim in between: the first counts, and its rows must not be missing.
func TestOwnerLosesWithCommit(t *testing.T) {
	b := newBench(t, nil).own()
	b.did(b.o.Commit([]byte("x"), 1, b.now))
	mine, other := b.record(), claimOf("b")
	b.did(b.o.Appended(b.last.Ticket, 3, nil, b.now))
	b.did(b.o.Read(1, &mine, b.now))
	b.did(b.o.Read(2, &other, b.now))
	if len(b.all) < 2 || b.all[0].Apply == nil || b.all[0].Apply.Position.Next != 2 || !b.all[1].Lost {
		t.Fatalf("%+v, want the rows, then the loss", b.all)
	}
}

func TestOwnerBeats(t *testing.T) {
	b := newBench(t, nil).own()
	if b.did(b.o.Tick(b.now + Beat - 1)); len(b.all) > 0 {
		t.Fatalf("%+v after %d ms", b.all, Beat-1)
	}
	if !b.o.Fresh(b.now+FreshFor) || b.o.Fresh(b.now+FreshFor+1) {
		t.Fatal("a local read is answered for another time than 3 s after the claim")
	}
	b.did(b.o.Tick(b.now + Beat))
	b.did(b.o.Commit([]byte("x"), 1, b.now+Beat)) // waits for it
	if b.count != 2 || b.record().Data.Count != 0 {
		t.Fatalf("%d appends, want the claim and a heartbeat", b.count)
	}
	b.did(b.o.Appended(b.last.Ticket, 1, nil, b.now+Beat))
	if b.count != 3 || b.record().Data.Count != 1 || b.decided() {
		t.Fatalf("%d appends, want the commit after the heartbeat", b.count)
	}
	if !b.o.Fresh(b.now+Beat+FreshFor) || b.o.Fresh(b.now+Beat+FreshFor+1) {
		t.Fatal("a local read is answered for another time than 3 s after the heartbeat")
	}
}

// An owner that is known and appends nothing has given the shard up. A copy says so only after it has watched the log for as long.
func TestOwnerIsSilent(t *testing.T) {
	b := newBench(t, nil)
	claim, err := Parse(AppendClaim(nil, &Claim{Deployment: testDeployment.ID, Shards: testDeployment.Shards, Node: "b", Boot: 2, Handlers: 1}))
	if err != nil {
		t.Fatal(err)
	}
	b.did(b.o.Read(0, &claim, b.now-60_000)) // long before the copy is caught up
	for _, at := range []struct {
		after int64
		want  bool
	}{{0, false}, {silentFor, false}, {silentFor + 1, true}} {
		now := b.now + at.after
		b.did(b.o.End(1, now))
		if got := b.o.Stand(now).Silent; got != at.want {
			t.Errorf("after %d ms: %v, want %v", at.after, got, at.want)
		}
	}
	b.now += silentFor + 1
	beat, err := Parse(AppendData(nil, &Data{Claim: 0, Seq: 1, Part: 1, Parts: 1, Rules: 7, Handlers: 1}))
	if err != nil {
		t.Fatal(err)
	}
	b.did(b.o.Read(1, &beat, b.now))
	if b.did(b.o.End(2, b.now)); b.o.Stand(b.now).Silent {
		t.Error("an owner that has just appended is silent")
	}
}

func TestOwnerSealsAndOthersClaim(t *testing.T) {
	b := newBench(t, nil).own()
	b.did(b.o.Commit([]byte("x"), 1, b.now))
	commit := b.record()
	b.did(b.o.Appended(b.last.Ticket, 1, nil, b.now))
	if b.did(b.o.Placed(place.Follow, b.now)); !b.all[0].Yield {
		t.Fatalf("%+v, want a yield", b.all)
	}
	b.did(b.o.Seal(b.now))
	seal := b.record()
	b.did(b.o.Appended(b.last.Ticket, 2, nil, b.now))
	b.state(Following)
	claim := claimOf("a")
	for name, log := range map[string][]*Record{"sealed": {&claim, &commit, &seal}, "not sealed": {&claim, &commit}} {
		other := newBench(t, func(c *Config) { c.Node, c.Handlers = "b", 2 })
		for offset, r := range log {
			other.did(other.o.Read(int64(offset), r, other.now))
		}
		other.did(other.o.Placed(place.Own, other.now))
		other.did(other.o.End(int64(len(log)), other.now))
		handlers, _ := other.o.Misfit()
		if sealed := name == "sealed"; sealed != (other.o.State() == Claiming) || sealed != (handlers == 0) {
			t.Errorf("%s: %v, misfit %d", name, other.o.State(), handlers)
		}
	}
}

// A log tail of other handlers or rules is not claimed, unless the shard keeps no log of its own.
func TestOwnerFinishesItsOwn(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Config)
		want   State
	}{
		"the handlers and rules that wrote it": {func(*Config) {}, Claiming},
		"other handlers":                       {func(c *Config) { c.Handlers = 2 }, Following},
		"other rules":                          {func(c *Config) { c.Rules = 8 }, Following},
		"no log of its own":                    {func(c *Config) { c.Handlers, c.Rules, c.Tailless = 2, 8, true }, Claiming},
	} {
		b := newBench(t, test.change)
		claim, data := claimOf("b"), dataOf(0, 1, 1, 1, "x")
		b.did(b.o.Read(0, &claim, b.now))
		b.did(b.o.Read(1, &data, b.now))
		b.did(b.o.End(2, b.now))
		b.did(b.o.Placed(place.Own, b.now))
		if got := b.o.State(); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
		if tail := b.o.Stand(b.now).Tail; (tail == 0) != (name == "no log of its own") {
			t.Errorf("%s: placement looks for handlers %d", name, tail)
		}
	}
}

// A copy does not go on under a claim whose writer uses encodings that this program cannot read.
func TestOwnerHaltsAtNewer(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Readable = 2 })
	readable, newer := claimOf("b"), claimOf("b")
	readable.Claim.Written, newer.Claim.Written = 2, 3
	b.did(b.o.Read(0, &readable, b.now))
	b.state(Following)
	b.did(b.o.Read(1, &newer, b.now))
	b.state(Halted)
	if err := b.o.Err(); !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), "node b writes generation 3, and this program reads 2") {
		t.Errorf("%v", err)
	}
}

func TestOwnerHalts(t *testing.T) {
	at := Position{Topic: [16]byte{9}, Next: 5, Claim: 0, Seq: 3, Sum: 77}
	config := Config{Shard: 2, Deployment: testDeployment, Topic: [16]byte{9}, Node: "a", Handlers: 1, Random: func() float64 { return 0 }}
	other := Record{Sum: 78, Data: &Data{Claim: 0, Seq: 3, Part: 1, Parts: 1, Handlers: 1}}
	for name, fn := range map[string]func(*Owner) []Do{
		"the journal ends before the copy does": func(o *Owner) []Do { return o.End(4, 1) },
		"another record before the position":    func(o *Owner) []Do { return o.Read(4, &other, 1) },
		"a gap": func(o *Owner) []Do {
			return o.Read(5, &Record{Data: &Data{Claim: 0, Seq: 5, Part: 1, Parts: 1, Handlers: 1}}, 1)
		},
	} {
		o := NewOwner(config, &at)
		if do := fn(o); o.State() != Halted || len(do) != 1 || !errors.Is(do[0].Halt, ErrGap) || !strings.Contains(do[0].Halt.Error(), "shard 2") || !strings.Contains(do[0].Halt.Error(), "reseed") {
			t.Errorf("%s: %v, %+v", name, o.State(), do)
		}
	}
	config.Topic = [16]byte{10}
	if o := NewOwner(config, &at); o.State() != Halted || o.Err() == nil {
		t.Errorf("another topic: %v", o.State())
	}
}

func TestTrim(t *testing.T) {
	fresh := func(node string, durable int64) Report {
		return Report{Node: node, Durable: durable, Ready: true, At: 50_000}
	}
	old := Report{Node: "c", Durable: 100, Ready: true, At: 39_999}
	for _, test := range []struct {
		name         string
		reports      []Report
		backup, keep int64
		want         int64
		why          Hold
	}{
		{"nobody", nil, NoBackup, 1000, 0, NoReports},
		{"one copy", []Report{fresh("a", 10)}, NoBackup, 1000, 0, OneCopy},
		{"one copy, a backup before it", []Report{fresh("a", 10)}, 7, 1000, 7, CopyBehind},
		{"one copy, a backup after it", []Report{fresh("a", 10)}, 12, 1000, 10, CopyBehind},
		{"two", []Report{fresh("a", 10), fresh("b", 8)}, NoBackup, 1000, 8, CopyBehind},
		{"three: the oldest does not hold it up", []Report{fresh("a", 10), fresh("b", 8), fresh("c", 2)}, NoBackup, 1000, 8, CopyBehind},
		{"a backup does not count beside two", []Report{fresh("a", 10), fresh("b", 8)}, 2, 1000, 8, CopyBehind},
		{"what was said long ago does not count", []Report{fresh("a", 10), old}, NoBackup, 1000, 0, OneCopy},
		{"a node without a copy does not count", []Report{fresh("a", 10), fresh("b", 0)}, NoBackup, 1000, 0, OneCopy},
		{"what is to be kept is kept", []Report{fresh("a", 10), fresh("b", 8)}, NoBackup, 5, 5, Free},
	} {
		if got, why := Trim(test.reports, test.backup, test.keep, 50_000); got != test.want || why != test.why {
			t.Errorf("%s: %d, %v, want %d, %v", test.name, got, why, test.want, test.why)
		}
	}
	owners := []string{"a", "b"}
	unready := fresh("b", 8)
	unready.Ready = false
	for name, test := range map[string]struct {
		reports []Report
		want    bool
	}{
		"both":               {[]Report{fresh("a", 10), fresh("b", 8), fresh("me", 8)}, true},
		"one":                {[]Report{fresh("a", 10), fresh("me", 8)}, false},
		"another one":        {[]Report{fresh("a", 10), fresh("d", 8)}, false},
		"one is not ready":   {[]Report{fresh("a", 10), unready}, false},
		"one is before trim": {[]Report{fresh("a", 10), fresh("b", 3)}, false},
	} {
		if got := Surplus(test.reports, owners, 4, 50_000); got != test.want {
			t.Errorf("surplus with %s: %t", name, got)
		}
	}
}
