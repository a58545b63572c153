package bulk

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"time"
)

var (
	// ErrBroken is returned when a stream has no end, or another sum.
	ErrBroken = errors.New("bulk: a stream broke off")
	// ErrGone is returned when the snapshot is closed: everything has to be copied again.
	ErrGone = errors.New("bulk: the snapshot is closed")
	// ErrBusy is returned when the node has as many snapshots open as it may.
	ErrBusy = errors.New("bulk: the node is busy")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const (
	keyMost   = 1 << 16
	valueMost = 256 << 20
	tries     = 5 // in a row that bring nothing
	pause     = 500 * time.Millisecond
)

// Client copies from other nodes.
type Client struct{ HTTP *http.Client }

// Copy calls fn with every row of a kind and a shard on the node at base ("https://host:port"), in the order of keys, all of
// one moment. It goes on after breaks. If fn fails, so does Copy; key and value are valid during the call.
func (c *Client) Copy(ctx context.Context, base, kind string, shard uint32, fn func(key, value []byte) error) error {
	r, err := c.Open(ctx, base, kind, shard)
	if err != nil {
		return err
	}
	defer r.Close()
	return r.After(ctx, nil, fn)
}

// Rows are those of a snapshot on another node.
type Rows struct {
	Head   []byte // what the snapshot says of them
	client *Client
	url    string
}

// Open opens a snapshot on the node at base.
func (c *Client) Open(ctx context.Context, base, kind string, shard uint32) (*Rows, error) {
	session, head, err := c.begin(ctx, base+"/bulk/"+kind+"/"+strconv.FormatUint(uint64(shard), 10))
	if err != nil {
		return nil, err
	}
	return &Rows{Head: head, client: c, url: base + "/bulk/rows/of/" + session}, nil
}

// Close closes the snapshot.
func (r *Rows) Close() { r.client.end(r.url) }

// After calls fn with every row after a key, as Copy does.
func (r *Rows) After(ctx context.Context, last []byte, fn func(key, value []byte) error) error {
	last = bytes.Clone(last)
	failed := 0
	for {
		rows, err := r.client.rows(ctx, r.url, last, func(key, value []byte) error {
			if err := fn(key, value); err != nil {
				return &stopped{err}
			}
			last = append(last[:0], key...)
			return nil
		})
		var stop *stopped
		switch {
		case err == nil:
			return nil
		case errors.As(err, &stop):
			return stop.err
		case errors.Is(err, ErrGone), ctx.Err() != nil:
			return err
		}
		if failed++; rows > 0 {
			failed = 0
		}
		if failed == tries {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// stopped is an error of the caller's function, after which nothing is tried again.
type stopped struct{ err error }

func (s *stopped) Error() string { return s.err.Error() }

func (c *Client) begin(ctx context.Context, url string) (session string, head []byte, err error) {
	r, err := c.do(ctx, url, nil)
	if err != nil {
		return "", nil, err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(io.LimitReader(r.Body, nameBytes+headMost))
	if err != nil {
		return "", nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	switch {
	case r.StatusCode == http.StatusCreated && len(body) >= nameBytes:
		return string(body[:nameBytes]), body[nameBytes:], nil
	case r.StatusCode == http.StatusNotFound:
		return "", nil, ErrAbsent
	case r.StatusCode == http.StatusServiceUnavailable:
		return "", nil, ErrBusy
	}
	return "", nil, fmt.Errorf("bulk: begin: %s: %s", r.Status, bytes.TrimSpace(body))
}

func (c *Client) do(ctx context.Context, url string, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return c.HTTP.Do(request)
}

// end closes the snapshot, if it can: it closes by itself as well.
func (c *Client) end(url string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodDelete, url, nil)
	if err != nil {
		return
	}
	if r, err := c.HTTP.Do(request); err == nil {
		r.Body.Close()
	}
}

// rows reads one stream, and returns how many rows it handed on.
func (c *Client) rows(ctx context.Context, url string, after []byte, fn func(key, value []byte) error) (rows uint64, err error) {
	r, err := c.do(ctx, url, after)
	if err != nil {
		return 0, err
	}
	defer r.Body.Close()
	switch r.StatusCode {
	case http.StatusOK:
	case http.StatusGone:
		return 0, ErrGone
	default:
		return 0, fmt.Errorf("bulk: read: %s", r.Status)
	}
	in := frames{r: bufio.NewReaderSize(r.Body, chunk)}
	for {
		key := in.next(keyMost)
		if in.err == nil && len(key) == 0 {
			return rows, in.end(rows)
		}
		in.key = append(in.key[:0], key...)
		value := in.next(valueMost)
		if in.err != nil {
			return rows, in.err
		}
		if err := fn(in.key, value); err != nil {
			return rows, err
		}
		rows++
	}
}

// frames reads a stream. It stops at the first error.
type frames struct {
	r        *bufio.Reader
	sum      uint32 // of all before the end
	before   uint32 // sum before the last frame: the end is not part of it
	key, buf []byte
	err      error
}

func (in *frames) next(most uint64) []byte {
	if in.err != nil {
		return nil
	}
	n, err := binary.ReadUvarint(in.r)
	if err != nil || n > most {
		in.err = fmt.Errorf("%w: a length: %w", ErrBroken, errors.Join(err, io.ErrUnexpectedEOF))
		return nil
	}
	in.before = in.sum
	in.sum = crc32.Update(in.sum, castagnoli, binary.AppendUvarint(nil, n))
	in.buf = in.buf[:0]
	for n > 0 { // as it comes: a length alone takes no memory
		part := int(min(n, chunk))
		start := len(in.buf)
		in.buf = append(in.buf, make([]byte, part)...)
		if _, err := io.ReadFull(in.r, in.buf[start:]); err != nil {
			in.err = fmt.Errorf("%w: %w", ErrBroken, err)
			return nil
		}
		n -= uint64(part)
	}
	in.sum = crc32.Update(in.sum, castagnoli, in.buf)
	return in.buf
}

// end checks what follows the last row.
func (in *frames) end(rows uint64) error {
	n, err := binary.ReadUvarint(in.r)
	var sum [4]byte
	if err == nil {
		_, err = io.ReadFull(in.r, sum[:])
	}
	if err != nil {
		return fmt.Errorf("%w: at its end: %w", ErrBroken, err)
	}
	if n != rows || binary.BigEndian.Uint32(sum[:]) != in.before {
		return fmt.Errorf("%w: its sum is another one, after %d rows of %d", ErrBroken, rows, n)
	}
	return nil
}
