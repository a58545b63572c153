package plan

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Whatever the size: each shard has an owner and two copies, what a death leaves is what the dead had, and a join moves about a share.
func TestMakeProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Measured()
		s.Nodes = rapid.IntRange(3, 12).Draw(t, "nodes")
		s.Zones = rapid.IntRange(1, 3).Draw(t, "zones")
		s.Shards = rapid.IntRange(8, 128).Draw(t, "shards")
		p, err := Make(&s)
		if err != nil {
			t.Fatal(err)
		}
		for dead := range s.Nodes { // the short way to place the shards of a dead node is the long one
			nodes := nodesOf(&s)[:s.Nodes]
			short := placed(&s, nodes).without(&s, nodes, dead)
			if long := placed(&s, slices.Delete(slices.Clone(nodes), dead, dead+1)); !reflect.DeepEqual(short, long) {
				t.Fatalf("without node %d: %v, want %v", dead, short, long)
			}
		}
		n, shards := float64(s.Nodes), float64(s.Shards)
		if math.Abs(p.Owned.Mean*n-shards) > 1e-6 || math.Abs(p.Copies.Mean*n-2*shards) > 1e-6 {
			t.Fatalf("%v shards of which %v are owned, with %v copies", shards, p.Owned.Mean*n, p.Copies.Mean*n)
		}
		ofShard := s.Identities * s.Events * s.Disk / shards
		if p.DeathCopied < p.Copies.Most*ofShard*(1-1e-9) {
			t.Fatalf("%v bytes are copied after a death, and a node had %v", p.DeathCopied, p.Copies.Most*ofShard)
		}
		if p.DeathBusy < p.Busy.Most*(1-1e-9) && s.Nodes > 3 && p.Owned.Least == p.Owned.Most {
			t.Fatalf("a node is less busy after a death: %v, %v before", p.DeathBusy, p.Busy.Most)
		}
		if most := 3 * (shards/(n+1) + 3*math.Sqrt(shards)); float64(p.JoinMoves) > most {
			t.Fatalf("%d shards of %v move to one of %v nodes", p.JoinMoves, shards, n+1)
		}
		if most := 2 * float64(s.Identifiers); p.Hops < 0 || p.Hops > most {
			t.Fatalf("%v messages an event, and %v are the most", p.Hops, most)
		}
	})
}

// Two nodes: half of the messages leave their node, all rows are on both, and after a death one node does all.
func TestMakeOfTwo(t *testing.T) {
	s := Measured()
	s.Nodes, s.Zones, s.Shards = 2, 1, 1024
	p, err := Make(&s)
	if err != nil {
		t.Fatal(err)
	}
	all := s.Identities * s.Events * s.Disk
	if p.Disk.Least != all || p.Disk.Most != all || p.DeathCopied != 0 {
		t.Errorf("%v on each node, and %v to copy after a death; want %g and 0", p.Disk, p.DeathCopied, all)
	}
	if want := s.Rate * s.CPU / 1e6 / float64(s.Cores); math.Abs(p.DeathBusy-want) > 1e-9 {
		t.Errorf("the last node is busy %v, want %v", p.DeathBusy, want)
	}
	if math.Abs(p.Hops-2) > 0.1 {
		t.Errorf("%v messages an event, want about 2: half of twice two", p.Hops)
	}
}

func TestMakeRefuses(t *testing.T) {
	s := Measured()
	s.Nodes, s.Shards, s.Copy = 1, 4096, math.NaN()
	_, err := Make(&s)
	for _, words := range []string{"nodes: 1, want 2 to 300", "shards: 4096, want 1 to 1024", "bytes a second of a copy: NaN"} {
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%v lacks %q", err, words)
		}
	}
}
