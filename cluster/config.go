package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"

	"github.com/kindred-id/kindred/internal/hostport"
)

// named is a name of a cluster or a node: a part of the name of a topic.
var named = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$`)

// CheckName reports what is wrong with the cluster and how its journal is reached.
func (c *Config) CheckName() error {
	switch {
	case !named.MatchString(c.Cluster):
		return fmt.Errorf("--cluster %q: want up to 63 letters a to z, digits, dots and hyphens, and a letter or a digit at both ends", c.Cluster)
	case len(c.Brokers.Brokers) == 0:
		return errors.New("no brokers of the journal; give --journal-brokers HOST:PORT")
	}
	return nil
}

// Check reports everything that is wrong with the settings of a node. It connects to nothing.
func (c *Config) Check() error {
	errs := []error{c.CheckName()}
	if !named.MatchString(c.Name) {
		errs = append(errs, fmt.Errorf("--node %q: want a name that stays over restarts, of up to 63 letters a to z, digits, dots and hyphens", c.Name))
	}
	if len(c.Join) == 0 {
		errs = append(errs, errors.New("no nodes to join; give --join HOST:PORT of one or more nodes, which may be this one: a node that knows of no other takes every shard"))
	}
	host, _, err := hostport.Split(c.Gossip)
	if err != nil {
		errs = append(errs, fmt.Errorf("--node-listen %w", err))
	} else if c.Advertise == "" && hostport.Everywhere(host) {
		errs = append(errs, fmt.Errorf("--node-listen %s: others can't reach that; give --advertise HOST with the address of this machine", c.Gossip))
	}
	if tls := c.TLS; tls.Cert != "" || tls.Key != "" || tls.Authority != "" || !c.InsecureDev {
		errs = append(errs, tls.Check())
	}
	if c.JournalKeep < 0 {
		errs = append(errs, fmt.Errorf("--journal-keep %v: want a time such as 24h", c.JournalKeep))
	}
	if c.KeyFile == "" && !c.InsecureDev {
		errs = append(errs, errors.New("no key of the gossip: anybody could join and read; give --gossip-key-file FILE with a line of \"openssl rand -base64 32\", or --insecure-dev"))
	} else if c.KeyFile != "" {
		_, err := os.Stat(c.KeyFile)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// reached is where others reach a node.
type reached struct{ gossip, remote, bulk string }

// reached finds out where others reach the node. The gossip knows addresses by number alone.
func (c *Config) reached(ctx context.Context) (r reached, err error) {
	r = reached{c.Gossip, c.Remote, c.Bulk}
	if c.Advertise == "" {
		r.gossip = "" // as it listens
		return r, nil
	}
	host := c.Advertise
	if net.ParseIP(host) == nil {
		found, err := net.DefaultResolver.LookupHost(ctx, host)
		if err != nil {
			return r, fmt.Errorf("--advertise %s: %w; give the address of this machine", host, err)
		}
		host = found[0]
	}
	for _, address := range []*string{&r.gossip, &r.remote, &r.bulk} {
		_, port, err := net.SplitHostPort(*address)
		if err != nil {
			return r, err
		}
		*address = net.JoinHostPort(host, port)
	}
	return r, nil
}
