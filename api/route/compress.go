package route

import (
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Compress is where a long answer is written, compressed as the client accepts it: zstd before gzip, as it is the cheaper
// one. Both run at their fastest: an answer is sent as it is made, and a slower level would hold it up. Close it, or the
// answer is cut.
func Compress(w http.ResponseWriter, r *http.Request, to io.Writer) io.WriteCloser {
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	switch accepted := r.Header.Values("Accept-Encoding"); {
	case accepts(accepted, "zstd"):
		if z, err := zstd.NewWriter(to, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20)); err == nil {
			h.Set("Content-Encoding", "zstd")
			return z
		}
	case accepts(accepted, "gzip"):
		if z, err := gzip.NewWriterLevel(to, gzip.BestSpeed); err == nil {
			h.Set("Content-Encoding", "gzip")
			return z
		}
	}
	return plain{to}
}

// plain is an answer that is not compressed.
type plain struct{ io.Writer }

// Close implements io.Closer.
func (plain) Close() error { return nil }

// accepts reports whether Accept-Encoding names an encoding, with a weight that is not 0. A star is not taken for any: few
// clients that send it can read zstd.
func accepts(lists []string, encoding string) bool {
	for _, list := range lists {
		for item := range strings.SplitSeq(list, ",") {
			name, parameters, _ := strings.Cut(item, ";")
			if !strings.EqualFold(strings.TrimSpace(name), encoding) {
				continue
			}
			weight, given := strings.CutPrefix(strings.TrimSpace(parameters), "q=")
			q, err := strconv.ParseFloat(weight, 64)
			return !given || err == nil && q > 0
		}
	}
	return false
}
