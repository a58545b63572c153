package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// DefaultURL is the address of a server with default settings.
const DefaultURL = "http://127.0.0.1:8080"

// Client sends requests to one server. It is safe for concurrent use. Its calls are grouped by what they are about.
type Client struct {
	Events     Events
	Profiles   Profiles
	Groups     Groups
	Audiences  Audiences
	Traits     Traits
	Assertions Assertions
	Scores     Scores
	Feed       Feed
	Admin      Admin

	conn *connection
}

// New returns a client of the server at an address such as http://127.0.0.1:8080. A nil transport means the network.
func New(address string, transport http.RoundTripper) (*Client, error) {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	base, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("%q is not the address of a server; want http://HOST:PORT", address)
	}
	if transport == nil {
		network := http.DefaultTransport.(*http.Transport).Clone()
		network.MaxIdleConnsPerHost = 64
		network.DisableCompression = true // it costs more than it saves in one data centre
		transport = network
	}
	conn := &connection{base: base, http: &http.Client{Transport: transport}}
	return &Client{
		Events: Events{conn}, Profiles: Profiles{conn}, Groups: Groups{conn}, Audiences: Audiences{conn}, Traits: Traits{conn}, Assertions: Assertions{conn},
		Scores: Scores{conn}, Feed: Feed{conn}, Admin: Admin{conn}, conn: conn,
	}, nil
}

// Get requests a document of any path and decodes it into out. Use it where no group has a call.
func (c *Client) Get(ctx context.Context, path string, query url.Values, out any) error {
	return c.conn.get(ctx, path, query, out)
}

// Post sends a document to any path and decodes the answer into out. Use it where no group has a call.
func (c *Client) Post(ctx context.Context, path string, query url.Values, in, out any) error {
	return c.conn.post(ctx, path, query, in, out)
}
