package egress

import (
	"errors"
	"fmt"
	"io"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/egress/replica"
)

// Rebuild replays the change feed and writes the identities that result, in the lines of an export. next returns one
// entry at a time, from the start of the feed, and io.EOF at its end.
func Rebuild(w io.Writer, next func() ([]byte, error)) error {
	var rebuilt replica.Replica
	for {
		entry, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("replay the change feed: %w", err)
		}
		e, err := Parse(entry)
		if err != nil {
			return err
		}
		rebuilt.Apply(&e.FeedEntry)
	}
	var line []byte
	var lines document.Lines
	for _, p := range rebuilt.Profiles() {
		line = lines.Append(line[:0], &p)
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}
