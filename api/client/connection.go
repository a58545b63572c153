package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"syscall"
)

// A connection carries the requests of all groups of calls to one server. It alone knows HTTP.
type connection struct {
	base *url.URL
	http *http.Client
	key  string // empty: requests show no access key
}

// escape writes an id as one segment of a path. Dots alone would lead to another path, as in directories.
func escape(id string) string {
	if id == "." || id == ".." {
		return strings.ReplaceAll(id, ".", "%2E")
	}
	return url.PathEscape(id)
}

// get requests a document and decodes it into out.
func (c *connection) get(ctx context.Context, path string, query url.Values, out any) error {
	return c.do(ctx, http.MethodGet, path, query, nil, out)
}

// post sends a document and decodes the answer into out.
func (c *connection) post(ctx context.Context, path string, query url.Values, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodPost, path, query, body, out)
}

// delete removes a document.
func (c *connection) delete(ctx context.Context, path string) error { return c.deleted(ctx, path, nil) }

// deleted removes a document, and decodes the answer into out.
func (c *connection) deleted(ctx context.Context, path string, out any) error {
	return c.do(ctx, http.MethodDelete, path, nil, nil, out)
}

// do sends a request and decodes the answer into out, which may be nil.
func (c *connection) do(ctx context.Context, method, path string, query url.Values, body []byte, out any) error {
	res, err := c.send(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if out == nil {
		_, err := io.Copy(io.Discard, res.Body)
		return err
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		return fmt.Errorf("read the answer of %s: %w", c.base, err)
	}
	return nil
}

// send returns the answer if it is a success, and otherwise a *Problem (C1).
// The caller closes the body of an answer. Nothing is sent again: only the caller knows if it may repeat a request.
func (c *connection) send(ctx context.Context, method, path string, query url.Values, body []byte) (*http.Response, error) {
	return c.sendWith(ctx, method, path, query, body, nil)
}

// sendWith is send with headers beside those that every request has.
func (c *connection) sendWith(ctx context.Context, method, path string, query url.Values, body []byte, more http.Header) (*http.Response, error) {
	address := c.base.String() + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, more)
	req.Header.Set("Accept", "application/json")
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.explain(err)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		defer res.Body.Close()
		return nil, readProblem(res)
	}
	return res, nil
}

// explain adds a remedy to an error of the network.
func (c *connection) explain(err error) error {
	var wrapped *url.Error
	// url.Error repeats the method and the whole address, which the message below names in its own words.
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("no server answers at %s: %w; start one with kindred serve, name another with --url, or open a directory with --data", c.base, err)
	}
	return fmt.Errorf("ask %s: %w", c.base, err)
}
