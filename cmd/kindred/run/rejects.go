package run

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
	"unicode/utf8"

	"github.com/kindred-id/kindred/ingest/file"
	"github.com/kindred-id/kindred/ingest/segment"
)

// rejects is the file of rejected lines. It is created at the first one, and only its owner can read it, since it holds
// what clients sent.
type rejects struct {
	name  string
	file  *os.File
	out   *bufio.Writer
	count int64
	err   error // the first error; nothing is written after it
}

// newRejects names the file, by the time of the start if the command does not; add creates it.
func newRejects(name string, now time.Time) *rejects {
	if name == "" {
		name = "kindred-rejects-" + now.UTC().Format("20060102T150405Z") + ".ndjson"
	}
	return &rejects{name: name}
}

// rejectLine is a line of the file.
type rejectLine struct {
	File      string `json:"file"`
	Line      int64  `json:"line"`
	Record    int64  `json:"record,omitempty"` // in files with records that are not lines
	Code      string `json:"code"`
	Field     string `json:"field,omitempty"`
	Message   string `json:"message"`
	Hint      string `json:"hint,omitempty"`
	Raw       string `json:"raw,omitempty"`        // as it was sent
	RawBase64 string `json:"raw_base64,omitempty"` // instead of Raw if it is not UTF-8
}

// add writes a rejected line. It skips events without an identifier: they are normal, and the summary counts them.
func (r *rejects) add(reject file.Reject) {
	if r.err != nil || reject.Reason.Code == segment.CodeNoIdentifier {
		return
	}
	r.count++
	if r.file == nil {
		// The mode is that of personal data: clients sent it. Truncation is safe: ingest refuses a file that exists.
		if r.file, r.err = os.OpenFile(r.name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600); r.err != nil {
			return
		}
		r.out = bufio.NewWriter(r.file)
	}
	line := rejectLine{
		File: reject.File, Line: reject.Line, Record: reject.Record, Code: string(reject.Reason.Code), Field: reject.Reason.Field,
		Message: reject.Reason.Message, Hint: reject.Reason.Hint,
	}
	if utf8.Valid(reject.Raw) {
		line.Raw = string(reject.Raw)
	} else {
		line.RawBase64 = base64.StdEncoding.EncodeToString(reject.Raw)
	}
	e := json.NewEncoder(r.out)
	e.SetEscapeHTML(false)
	r.err = e.Encode(line)
}

// close ends the file.
// add returns no error, so close reports the first one of add as well. Without a rejected line there is no file.
func (r *rejects) close() error {
	err := r.err
	if r.file != nil {
		err = errors.Join(err, r.out.Flush(), r.file.Close())
	}
	if err != nil {
		return fmt.Errorf("write rejected lines: %w; name another file with --rejects", err)
	}
	return nil
}
