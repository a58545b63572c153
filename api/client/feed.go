package client

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/kindred-id/kindred/api/document"
)

// Feed are the calls that read the change feed and look after those that receive it.
type Feed struct{ conn *connection }

// Changes is an open stream of the change feed. Close it.
type Changes struct {
	body   io.ReadCloser
	lines  *bufio.Reader
	cursor string
	kind   string // of the last entry
}

// maxChange bounds one entry of the feed, in bytes: a whole identity of the largest size.
const maxChange = 64 << 20

// Changes reads the change feed from a cursor, from "start" or from "now". kinds names the kinds of entries, separated by
// commas; empty means all. Without follow the stream ends where the feed ends.
func (f Feed) Changes(ctx context.Context, cursor, kinds string, follow, scores bool) (*Changes, error) {
	query := url.Values{"cursor": {cursor}, "follow": {strconv.FormatBool(follow)}}
	if scores {
		query.Set("scores", "true")
	}
	if kinds != "" {
		query.Set("kinds", kinds)
	}
	return streamOf(f.conn.send(ctx, http.MethodGet, "/v1/changes", query, nil))
}

// streamOf reads server-sent events of an answer.
func streamOf(res *http.Response, err error) (*Changes, error) {
	if err != nil {
		return nil, err
	}
	return &Changes{body: res.Body, lines: bufio.NewReaderSize(res.Body, 64<<10)}, nil
}

// Next returns the next entry, a CloudEvent in JSON, and io.EOF at the end. The bytes are valid until the next call.
func (c *Changes) Next() ([]byte, error) {
	var data []byte
	for {
		line, err := c.line()
		if err != nil {
			return nil, err
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch {
		case len(line) == 0 && data != nil:
			return data, nil
		case string(name) == "id":
			c.cursor = string(value)
		case string(name) == "event":
			c.kind = string(value)
		case string(name) == "data":
			data = append(data, value...)
		}
	}
}

// line reads a line, without its line ending.
func (c *Changes) line() ([]byte, error) {
	line, err := c.lines.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		long := bytes.Clone(line)
		for errors.Is(err, bufio.ErrBufferFull) && len(long) < maxChange {
			line, err = c.lines.ReadSlice('\n')
			long = append(long, line...)
		}
		line = long
	}
	if err != nil {
		if errors.Is(err, io.EOF) && len(line) > 0 {
			return nil, fmt.Errorf("the stream of changes broke off: %w", io.ErrUnexpectedEOF)
		}
		return nil, err
	}
	return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), nil
}

// Cursor returns the position from which to continue. It may be a little before the last entry of Next, so a reader may
// see some entries again.
func (c *Changes) Cursor() string { return c.cursor }

// Close ends the stream.
func (c *Changes) Close() error { return c.body.Close() }

// Receivers lists the registered receivers of the change feed.
func (f Feed) Receivers(ctx context.Context) (r document.Receivers, err error) {
	err = f.conn.get(ctx, "/v1/changes/receivers", nil, &r)
	return r, err
}

// DropReceiver forgets a receiver of the change feed.
func (f Feed) DropReceiver(ctx context.Context, name string) error {
	return f.conn.delete(ctx, "/v1/changes/receivers/"+escape(name))
}
