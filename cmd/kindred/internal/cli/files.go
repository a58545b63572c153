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

// outfile is an output file that appears only when it is complete: until Finish, its content is in a temporary file in
// the same directory, so a reader never sees half a file. A name that ends in .gz or .zst selects compression. An empty
// name or "-" selects a writer that is already open.
type outfile struct {
	io.Writer
	layers []io.Closer // outermost first
	buffer *bufio.Writer
	tmp    *os.File // nil for a writer that was already open
	name   string
}

// outfileBuffer is the size of a write to the file, in bytes, after compression.
const outfileBuffer = 256 << 10

// CreateOutfile opens the file of that name for writing, or uses open for an empty name and "-".
func CreateOutfile(name string, open io.Writer) (*outfile, error) {
	o := &outfile{name: name}
	below := open
	if name != "" && name != "-" {
		if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
			// A device or a pipe, such as /dev/null, must not be replaced by a regular file.
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

// Finish completes the file. If err, the error of the caller's own writing, is not nil, Finish discards the file and
// returns err.
func (o *outfile) Finish(err error) error {
	compressed := len(o.layers) > 0 && o.Writer != io.Writer(o.buffer)
	also := func(next error) { // keep the first error: a failed writer repeats it at every call
		if err == nil {
			err = next
		}
	}
	// The order matters: the end of the compressor goes into the buffer, then the buffer into the file.
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
	// CreateTemp makes files that only their owner can read. Keep that mode: exports hold personal data.
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

// OpenInfile opens a file for reading and decompresses it if its name ends in .gz or .zst; "-" is standard input.
// Standard input has no name to end in .gz, so it is read as it comes. Closing it leaves os.Stdin open.
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
