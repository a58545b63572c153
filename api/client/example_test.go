package client_test

import (
	"context"
	"log"
	"os"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/node"
)

// start runs a Kindred in a temporary directory, with the given events in it, and returns a client that asks it in process.
// With the address of a server, client.New(address, nil) asks over the network instead.
func start(events string) (c *client.Client, stop func()) {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "kindred")
	if err != nil {
		log.Fatal(err)
	}
	k, err := node.Open(ctx, node.Config{Dir: dir, Shards: 4, Memory: 128 << 20, Feed: feed.Settings{On: true}})
	if err != nil {
		log.Fatal(err)
	}
	if c, err = client.New("http://kindred", client.InProcess{Handler: k.Handler()}); err != nil {
		log.Fatal(err)
	}
	send(c, events)
	return c, func() {
		if err := k.Stop(ctx); err != nil {
			log.Fatal(err)
		}
		_ = os.RemoveAll(dir)
	}
}

// send sends a batch, and returns when a look-up by any of its identifiers finds its events.
func send(c *client.Client, events string) {
	if err := c.Post(context.Background(), "/v1/batch", nil, batch(events), nil); err != nil {
		log.Fatal(err)
	}
}

// batch is the body of POST /v1/batch, which may be a plain list of events.
type batch string

func (b batch) MarshalJSON() ([]byte, error) { return []byte("[" + b + "]"), nil }

// sharedTablet is two customers on one device: Ann logs in at nine, Bob at eleven.
const sharedTablet = `
	{"type": "page", "messageId": "m1", "anonymousId": "tablet", "timestamp": "2026-11-01T09:00:00Z", "name": "Home"},
	{"type": "identify", "messageId": "m2", "anonymousId": "tablet", "userId": "ann", "timestamp": "2026-11-01T09:10:00Z"},
	{"type": "identify", "messageId": "m3", "anonymousId": "tablet", "userId": "bob", "timestamp": "2026-11-01T11:00:00Z"}`
