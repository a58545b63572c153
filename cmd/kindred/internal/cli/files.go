package cli

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// outfile is a file that is only there once it is whole: until then its content is in a temporary
// file beside it. A name that ends in .gz or .zst compresses it. An empty name, and "-", are a
// writer that is open already.
type outfile struct {
	io.Writer
	layers []io.Closer // the outermost first
	buffer *bufio.Writer
	tmp    *os.File // nil for a writer that is open already
	name   string
}

const outfileBuffer = 256 << 10

func CreateOutfile(name string, open io.Writer) (*outfile, error) {
	o := &outfile{name: name}
	below := open
	if name != "" && name != "-" {
		if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
			// A device or a pipe, such as /dev/null: nothing to put in its place.
			f, err := os.OpenFile(name, os.O_WRONLY, 0)
			if err != nil {
				return nil, fmt.Errorf("write: %w", err)
			}
			o.layers, below = append(o.layers, f), f
		} else {
			f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
			if err != nil {
				return nil, fmt.Errorf("write %s: %w", name, err)
			}
			o.tmp, below = f, f
		}
	}
	o.buffer = bufio.NewWriterSize(below, outfileBuffer)
	o.Writer = o.buffer
	switch {
	case strings.HasSuffix(name, ".gz"):
		z, err := gzip.NewWriterLevel(o.buffer, gzip.BestSpeed)
		if err != nil {
			return nil, err
		}
		o.Writer, o.layers = z, append([]io.Closer{z}, o.layers...)
	case strings.HasSuffix(name, ".zst"):
		z, err := zstd.NewWriter(o.buffer, zstd.WithEncoderLevel(zstd.SpeedFastest))
		if err != nil {
			return nil, err
		}
		o.Writer, o.layers = z, append([]io.Closer{z}, o.layers...)
	}
	return o, nil
}

// Finish ends the file. After an error of the caller's, which it takes, what was written is thrown
// away, and that error comes back.
func (o *outfile) Finish(err error) error {
	compressed := len(o.layers) > 0 && o.Writer != io.Writer(o.buffer)
	also := func(next error) { // a writer that failed says the same at every turn: once is enough
		if err == nil {
			err = next
		}
	}
	if compressed {
		also(o.layers[0].Close())
		o.layers = o.layers[1:]
	}
	also(o.buffer.Flush())
	for _, layer := range o.layers {
		also(layer.Close())
	}
	if o.tmp == nil {
		return err
	}
	// CreateTemp makes files for their owner alone, as is right for personal data; it stays so.
	also(o.tmp.Close())
	if err == nil {
		err = os.Rename(o.tmp.Name(), o.name)
	}
	if err != nil {
		_ = os.Remove(o.tmp.Name())
		return fmt.Errorf("write %s: %w", o.name, err)
	}
	return nil
}

// OpenInfile opens a file to read, decompressed when its name ends in .gz or .zst; "-" is standard input.
func OpenInfile(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(os.Stdin), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	var text io.Reader = f
	switch {
	case strings.HasSuffix(name, ".gz"):
		text, err = gzip.NewReader(f)
	case strings.HasSuffix(name, ".zst"):
		text, err = zstd.NewReader(f)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", name, err), f.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{text, f}, nil
}
