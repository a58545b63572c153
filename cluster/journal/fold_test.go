package journal

import (
	"errors"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

var testDeployment = Deployment{ID: [16]byte{1}, Shards: 4}

func claimOf(node string) Record {
	return Record{Claim: &Claim{Deployment: testDeployment.ID, Shards: testDeployment.Shards, Node: node, Handlers: 1}}
}

func dataOf(claim int64, seq uint64, part, parts uint32, ops string) Record {
	d := &Data{Claim: claim, Seq: seq, Part: part, Parts: parts, Rules: 7, Handlers: 1, Ops: []byte(ops)}
	if ops != "" {
		d.Count = 1
	}
	return Record{Data: d}
}

func TestFold(t *testing.T) {
	sealed := dataOf(0, 3, 1, 1, "")
	sealed.Data.Sealed = true
	type line struct {
		offset int64
		r      Record
		want   Verdict
		ops    string
		err    error
	}
	for name, lines := range map[string][]line{
		"a commit counts under the claim in force": {
			{0, claimOf("a"), Claimed, "", nil}, {1, dataOf(0, 1, 1, 1, "x"), Committed, "x", nil}, {2, dataOf(0, 2, 1, 1, ""), Committed, "", nil},
		},
		"data before any claim is void": {{0, dataOf(0, 1, 1, 1, "x"), Void, "", nil}},
		"a later claim voids what comes under the former": {
			{0, claimOf("a"), Claimed, "", nil},
			{1, claimOf("b"), Claimed, "", nil},
			{2, dataOf(0, 1, 1, 1, "x"), Void, "", nil},
			{3, dataOf(1, 1, 1, 1, "y"), Committed, "y", nil},
		},
		"a record that came twice is a duplicate": {
			{0, claimOf("a"), Claimed, "", nil}, {1, dataOf(0, 1, 1, 1, "x"), Committed, "x", nil}, {2, dataOf(0, 1, 1, 1, "x"), Duplicate, "", nil},
		},
		"offsets without a record change nothing": {{3, claimOf("a"), Claimed, "", nil}, {9, dataOf(3, 1, 1, 1, "x"), Committed, "x", nil}},
		"a record that is read again changes nothing": {
			{0, claimOf("a"), Claimed, "", nil},
			{1, dataOf(0, 1, 1, 1, "x"), Committed, "x", nil},
			{0, claimOf("a"), Known, "", nil},
			{2, dataOf(0, 2, 1, 1, "y"), Committed, "y", nil},
		},
		"parts are one commit": {
			{0, claimOf("a"), Claimed, "", nil},
			{1, dataOf(0, 1, 1, 3, "x"), Part, "", nil},
			{2, dataOf(0, 1, 1, 3, "x"), Duplicate, "", nil},
			{3, dataOf(0, 1, 2, 3, "y"), Part, "", nil},
			{4, dataOf(0, 1, 3, 3, "z"), Committed, "xyz", nil},
			{5, dataOf(0, 1, 3, 3, "z"), Duplicate, "", nil},
		},
		"a claim between them voids all": {
			{0, claimOf("a"), Claimed, "", nil},
			{1, dataOf(0, 1, 1, 2, "x"), Part, "", nil},
			{2, claimOf("b"), Claimed, "", nil},
			{3, dataOf(0, 1, 2, 2, "y"), Void, "", nil},
			{4, dataOf(2, 1, 1, 1, "z"), Committed, "z", nil},
		},
		"nothing counts after a seal": {
			{0, claimOf("a"), Claimed, "", nil},
			{1, dataOf(0, 1, 1, 1, "x"), Committed, "x", nil},
			{2, dataOf(0, 2, 1, 1, ""), Committed, "", nil},
			{3, sealed, Committed, "", nil},
			{4, dataOf(0, 4, 1, 1, "y"), Void, "", nil},
		},
		"a commit is missing":            {{0, claimOf("a"), Claimed, "", nil}, {1, dataOf(0, 2, 1, 1, "x"), 0, "", ErrGap}},
		"a part is missing":              {{0, claimOf("a"), Claimed, "", nil}, {1, dataOf(0, 1, 1, 3, "x"), Part, "", nil}, {2, dataOf(0, 1, 3, 3, "x"), 0, "", ErrGap}},
		"the first part is missing":      {{0, claimOf("a"), Claimed, "", nil}, {1, dataOf(0, 1, 2, 3, "x"), 0, "", ErrGap}},
		"the next before all parts came": {{0, claimOf("a"), Claimed, "", nil}, {1, dataOf(0, 1, 1, 2, "x"), Part, "", nil}, {2, dataOf(0, 2, 1, 1, "x"), 0, "", ErrGap}},
		"parts that differ in number":    {{0, claimOf("a"), Claimed, "", nil}, {1, dataOf(0, 1, 1, 2, "x"), Part, "", nil}, {2, dataOf(0, 1, 2, 3, "x"), 0, "", ErrGap}},
		"another deployment":             {{0, Record{Claim: &Claim{Shards: 4, Node: "a", Handlers: 1}}, 0, "", ErrForeign}},
		"another number of shards":       {{0, Record{Claim: &Claim{Deployment: testDeployment.ID, Shards: 8, Node: "a", Handlers: 1}}, 0, "", ErrForeign}},
	} {
		t.Run(name, func(t *testing.T) {
			f := NewFold(testDeployment, Start([16]byte{9}))
			for _, l := range lines {
				got, commit, err := f.Take(l.offset, &l.r)
				if !errors.Is(err, l.err) || err == nil && got != l.want || (commit != nil) != (err == nil && l.want == Committed) {
					t.Fatalf("offset %d: %v, %+v, %v, want %v, %v", l.offset, got, commit, err, l.want, l.err)
				}
				if commit != nil && string(commit.Ops) != l.ops {
					t.Fatalf("offset %d: operations %q, want %q", l.offset, commit.Ops, l.ops)
				}
			}
		})
	}
}

// genLog is a log as several writers make it, with what brokers do to it.
func genLog(t *rapid.T) (log []Record) {
	seqs := map[int64]uint64{}
	var claims []int64
	for range rapid.IntRange(1, 40).Draw(t, "steps") {
		if len(claims) == 0 || rapid.IntRange(0, 4).Draw(t, "claim") == 0 {
			claims = append(claims, int64(len(log)))
			log = append(log, claimOf("a"))
			continue
		}
		c := claims[len(claims)-1]
		if rapid.IntRange(0, 3).Draw(t, "zombie") == 0 {
			c = rapid.SampledFrom(claims).Draw(t, "claim")
		}
		seqs[c]++
		parts := uint32(rapid.IntRange(1, 3).Draw(t, "parts"))
		for part := uint32(1); part <= parts; part++ {
			r := dataOf(c, seqs[c], part, parts, string(rune('a'+len(log)%26)))
			r.Sum = uint32(len(log))
			for range rapid.IntRange(1, 2).Draw(t, "times") {
				log = append(log, r)
			}
			if rapid.IntRange(0, 9).Draw(t, "overtaken") == 0 {
				claims = append(claims, int64(len(log)))
				log = append(log, claimOf("b"))
			}
		}
	}
	return log
}

// J1: whether a record counts follows from the log: a fold that stops anywhere, and begins again at the position that is
// stored, comes to the same.
func TestFoldAgreesProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := genLog(t)
		run := func(restart func(int) bool) (commits []Commit) {
			stored := Start([16]byte{9})
			f := NewFold(testDeployment, stored)
			for at := 0; at < len(log); {
				_, commit, err := f.Take(int64(at), &log[at])
				if err != nil {
					t.Fatal(err)
				}
				if commit != nil {
					c := *commit
					c.Ops = append([]byte(nil), c.Ops...)
					commits, stored = append(commits, c), c.Position
				} else if p, whole := f.Position(); whole {
					stored = p
				}
				if restart(at) {
					f = NewFold(testDeployment, stored)
				}
				at = int(f.Next())
			}
			return commits
		}
		restarts := map[int]bool{}
		for range rapid.IntRange(0, 10).Draw(t, "restarts") {
			restarts[rapid.IntRange(0, len(log)-1).Draw(t, "restart")] = true
		}
		whole := run(func(int) bool { return false })
		again := run(func(at int) bool {
			now := restarts[at]
			delete(restarts, at)
			return now
		})
		if !reflect.DeepEqual(whole, again) {
			t.Fatalf("in one go:\n%+v\nwith restarts:\n%+v", whole, again)
		}
	})
}
