package gossip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
)

// ErrNameTaken is returned when another process of this node's name is alive.
var ErrNameTaken = errors.New("gossip: a node of this name is alive")

const (
	// joinEvery is the time between two looks for members at the addresses of Join.
	joinEvery = 10 * time.Second
	// resolvePatience bounds one look-up of a name.
	resolvePatience = 5 * time.Second
)

// gate refuses to merge with members among which this node's name is alive at another address (V4). It implements
// memberlist.MergeDelegate, which is asked before the lists of a join are merged, on both sides. The library passes on the
// words of an error alone, so the gate keeps it.
type gate struct {
	self    *memberlist.Node
	refused *atomic.Pointer[error]
}

// NotifyMerge implements memberlist.MergeDelegate.
func (g gate) NotifyMerge(peers []*memberlist.Node) error {
	for _, p := range peers {
		alive := p.State == memberlist.StateAlive || p.State == memberlist.StateSuspect
		if p.Name == g.self.Name && alive && (!p.Addr.Equal(g.self.Addr) || p.Port != g.self.Port) {
			err := fmt.Errorf("%w: %s at %s; stop it, wait until the others notice that it is gone, or choose another name", ErrNameTaken, p.Name, p.Address())
			g.refused.Store(&err)
			return err
		}
	}
	return nil
}

// addresses resolves the addresses to join: a name stands for all its addresses, as of a headless service. A name that
// does not resolve is passed over: it may tomorrow.
func (c *Config) addresses(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, resolvePatience)
	defer cancel()
	var all []string
	for _, address := range c.Join {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			host, port = address, strconv.Itoa(DefaultPort)
		}
		hosts := []string{host}
		if net.ParseIP(host) == nil {
			if hosts, err = c.resolve(ctx, host); err != nil {
				continue
			}
		}
		for _, h := range hosts {
			all = append(all, net.JoinHostPort(h, port))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// join asks those addresses that no member has. It reports whether the name is taken; that nobody answers is no error, as
// the first node of a cluster is alone.
func (g *Gossip) join(ctx context.Context) error {
	known := g.heard.addresses()
	ask := slices.DeleteFunc(g.config.addresses(ctx), func(a string) bool { return known[a] })
	if len(ask) == 0 {
		return nil
	}
	g.refused.Store(nil)
	_, err := g.list.Join(ask)
	if refused := g.refused.Load(); refused != nil {
		return *refused
	}
	if err != nil {
		g.logger.Debug("gossip: not every address answered", "addresses", len(ask), "error", err)
	}
	return nil
}

// rejoin looks for members until ctx ends (V5).
func (g *Gossip) rejoin(ctx context.Context) {
	tick := time.NewTicker(joinEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := g.join(ctx); err != nil {
				g.logger.Error("gossip: another process of this node's name runs; stop one of the two", "error", err)
			}
		}
	}
}
