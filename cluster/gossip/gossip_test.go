package gossip

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Members find one another, hear of a death, of a leave and of a return, and see the boot that tells processes apart.
func TestMembersComeAndGo(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n1 := w.start(1)
		if names(n1) != "n1 " {
			t.Errorf("alone: %s", names(n1))
		}
		n2, n3 := w.start(2), w.start(3)
		t.Logf("joined after %v", w.until("all three", all("n1 n2 n3 ", n1, n2, n3)))
		boot := n1.View().Member("n3").Boot
		w.crash(3, n3)
		t.Logf("a crash is noticed after %v", w.until("n3 is gone", all("n1 n2 ", n1, n2)))
		n3 = w.start(3)
		t.Logf("a return is noticed after %v", w.until("n3 is back", all("n1 n2 n3 ", n1, n2, n3)))
		if m := n1.View().Member("n3"); m.Boot == boot || m.Remote != "10.0.0.3:7001" {
			t.Errorf("the same process is back: %+v", m)
		}
		if err := n2.Leave(); err != nil {
			t.Error(err)
		}
		t.Logf("a leave is noticed after %v", w.until("n2 is gone", all("n1 n3 ", n1, n3)))
		n2 = w.start(2)
		w.until("n2 is back", all("n1 n2 n3 ", n1, n2, n3))
	})
}

// A process that restarts before anybody noticed is a change of the view, too.
func TestQuickRestart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n1, n2 := w.start(1), w.start(2)
		w.until("both", all("n1 n2 ", n1, n2))
		boot := n1.View().Member("n2").Boot
		w.crash(2, n2)
		w.start(2)
		w.until("another boot", func() bool { m := n1.View().Member("n2"); return m != nil && m.Boot != boot })
	})
}

// An announcement reaches the others, a view that was taken before stays as it is (V1), and too long a one is refused.
func TestAnnounce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n1, n2 := w.start(1), w.start(2)
		w.until("both", all("n1 n2 ", n1, n2))
		before := n1.View()
		for i := range 100 {
			if err := n2.Announce(func(m *Member) {
				m.Name, m.Weight, m.Copies = "other", uint16(i), append(m.Copies[:0], 1<<i)
			}); err != nil {
				t.Fatal(err)
			}
		}
		w.until("the last one", func() bool { return n1.View().Member("n2").Weight == 99 && n2.View().Member("n2").Weight == 99 })
		if got := n1.View().Member("n2").Copies; len(got) != 1 || before.Member("n2").Weight != 100 || before.Number >= n1.View().Number {
			t.Errorf("copies %v, before %+v", got, before)
		}
		if err := n2.Announce(func(m *Member) { m.Zone = strings.Repeat("z", metaMost) }); err == nil {
			t.Error("too much was announced")
		}
		if err := n2.Announce(func(m *Member) { m.Copies = make([]uint64, 1024/64) }); err != nil {
			t.Errorf("1,024 shards: %v", err)
		}
		select {
		case <-n1.Changes():
		default:
			t.Error("nobody was told")
		}
	})
}

// V4: a name that is alive elsewhere is refused, from whichever member the newcomer hears of it; once dead, it is free.
func TestNameIsTaken(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n1, n2 := w.start(1), w.start(2)
		w.until("both", all("n1 n2 ", n1, n2))
		for _, through := range []string{"10.0.0.1:7946", "10.0.0.2:7946"} {
			c := w.config(9)
			c.Self.Name, c.Join = "n2", []string{through}
			if _, err := Start(t.Context(), c); !errors.Is(err, ErrNameTaken) || !strings.Contains(err.Error(), "10.0.0.2") {
				t.Errorf("through %s: %v", through, err)
			}
		}
		time.Sleep(time.Minute)
		if !all("n1 n2 ", n1, n2)() || n1.View().Member("n2").Boot != 2 {
			t.Errorf("the refused one did harm: %s", names(n1))
		}
		w.crash(2, n2)
		w.until("n2 is gone", all("n1 ", n1))
		c := w.config(9)
		c.Self.Name = "n2"
		n2 = w.startWith(c)
		w.until("n2 is elsewhere", all("n1 n2 ", n1, n2))
	})
}

// V5: parts that were cut off from one another for long are one again.
func TestPartition(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n1, n2, n3 := w.start(1), w.start(2), w.start(3)
		w.until("all three", all("n1 n2 n3 ", n1, n2, n3))
		alone := func(a string) bool { return a == "10.0.0.3:7946" }
		w.net.cutBetween(func(from, to string) bool { return alone(from) != alone(to) })
		t.Logf("noticed after %v", w.until("two views", func() bool { return all("n1 n2 ", n1, n2)() && all("n3 ", n3)() }))
		time.Sleep(10 * time.Minute)
		w.net.cutBetween(nil)
		t.Logf("one again after %v", w.until("one view", all("n1 n2 n3 ", n1, n2, n3)))
	})
}

// A name stands for all its addresses, and one that does not resolve yet is asked for again.
func TestJoinByName(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n1 := w.start(1)
		var known atomic.Bool
		c := w.config(3)
		c.Join = []string{"shop-headless:7946"}
		c.resolve = func(_ context.Context, host string) ([]string, error) {
			if !known.Load() || host != "shop-headless" {
				return nil, errors.New("no such host")
			}
			return []string{"10.0.0.3", "10.0.0.1"}, nil
		}
		n3 := w.startWith(c)
		time.Sleep(time.Minute)
		if names(n3) != "n3 " {
			t.Errorf("found %s", names(n3))
		}
		known.Store(true)
		w.until("found", all("n1 n3 ", n1, n3))
	})
}

const (
	keyA = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	keyB = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="
)

func (w *world) keyFile(lines ...string) string {
	path := filepath.Join(w.t.TempDir(), "keys")
	w.write(path, lines...)
	return path
}

func (w *world) write(path string, lines ...string) {
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// V3: another key, or none, does not come in, nor does another cluster; and nothing is readable on the way.
func TestWrongKey(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.keys = w.keyFile("# shop", keyA)
		n1, n2 := w.start(1), w.start(2)
		w.until("both", all("n1 n2 ", n1, n2))
		for name, change := range map[string]func(*Config){
			"another key":     func(c *Config) { c.KeyFile = w.keyFile(keyB) },
			"no key":          func(c *Config) { c.KeyFile, c.InsecureDev = "", true },
			"another cluster": func(c *Config) { c.Cluster = "other" },
		} {
			c := w.config(3)
			change(&c)
			n3 := w.startWith(c)
			time.Sleep(time.Minute)
			if names(n3) != "n3 " || !all("n1 n2 ", n1, n2)() {
				t.Errorf("%s: %s and %s", name, names(n3), names(n1))
			}
			w.crash(3, n3)
		}
		if bytes.Contains(w.net.seen, []byte("10.0.0.2:7001")) || len(w.net.seen) == 0 {
			t.Error("what a node says of itself is readable on the way")
		}
	})
}

// Keys are rotated while members talk: a new one beside the old one, first, alone. Nobody is lost meanwhile.
func TestKeysRotate(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		paths := []string{w.keyFile(keyA), w.keyFile(keyA)}
		w.keys = paths[0]
		n1 := w.start(1)
		w.keys = paths[1]
		n2 := w.start(2)
		w.until("both", all("n1 n2 ", n1, n2))
		for _, lines := range [][]string{{keyA, keyB}, {keyB, keyA}, {keyB}} {
			for i, g := range []*Gossip{n1, n2} {
				w.write(paths[i], lines...)
				if err := g.ReloadKeys(); err != nil {
					t.Fatal(err)
				}
				for range 100 {
					time.Sleep(100 * time.Millisecond)
					if !all("n1 n2 ", n1, n2)() {
						t.Fatalf("%v: %s, %s", lines, names(n1), names(n2))
					}
				}
			}
		}
		w.keys = w.keyFile(keyA)
		old := w.start(3)
		time.Sleep(time.Minute)
		if names(old) != "n3 " {
			t.Errorf("with the old key: %s", names(old))
		}
		w.write(paths[0], "secret")
		if err := n1.ReloadKeys(); err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("a broken file: %v", err)
		}
	})
}

// Settings with which a node must not start.
func TestRefused(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for want, change := range map[string]func(*Config){
			"--insecure-dev":  func(c *Config) { c.InsecureDev = false },
			"holds no key":    func(c *Config) { c.KeyFile = w.keyFile("# none") },
			"read the keys":   func(c *Config) { c.KeyFile = "missing" },
			"no name":         func(c *Config) { c.Self.Name = "" },
			"shorten":         func(c *Config) { c.Self.Zone = strings.Repeat("z", metaMost) },
			"want host:port":  func(c *Config) { c.transport, c.Bind = nil, "here" },
			"to advertise":    func(c *Config) { c.transport, c.Bind, c.Advertise = nil, "127.0.0.1:0", "there:x" },
			"no name of the ": func(c *Config) { c.Cluster = "" },
		} {
			c := w.config(1)
			change(&c)
			if _, err := Start(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("want %q, got: %v", want, err)
			}
		}
	})
}

// The same over loopback, with the network's own sockets, in real time.
func TestOnTheNetwork(t *testing.T) {
	var nodes []*Gossip
	for _, name := range []string{"n1", "n2", "n3"} {
		c := Config{Cluster: "shop", Self: Member{Name: name, Boot: 1}, Bind: "127.0.0.1:0", InsecureDev: true}
		if len(nodes) > 0 {
			c.Join = []string{nodes[0].Address()}
		}
		g, err := Start(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		nodes = append(nodes, g)
	}
	w := &world{t: t}
	t.Logf("joined after %v", w.until("all three", all("n1 n2 n3 ", nodes...)))
	if err := nodes[1].Leave(); err != nil {
		t.Error(err)
	}
	t.Logf("a leave is noticed after %v", w.until("n2 is gone", all("n1 n3 ", nodes[0], nodes[2])))
	nodes[2].Close()
	t.Logf("a crash is noticed after %v", w.until("n3 is gone", all("n1 ", nodes[0])))
}
