// Package split cuts files that are not NDJSON into records: JSON texts of objects, each with its place in the file.
//
//	a JSON array, documents, {"batch":[…]} ──► Documents ─┐
//	CSV, with any delimiter                ──► Table     ─┼─► Record{Text, Line, Number, Problem}
//	Parquet                                ──► Parquet   ─┘
//
// Invariants:
//   - S1: memory is bounded by the largest record and, for Parquet, by the pages of one row group's columns.
//   - S2: a record that can't be read costs that record, as long as it is clear where the next one begins; otherwise the
//     error names the place, and all records before it were returned.
//   - S3: the records of a file depend only on its bytes, so that a file may be read again after a failure.
package split

import (
	"fmt"

	"github.com/kindred-id/kindred/ingest/segment"
)

// Record is one record of a file.
type Record struct {
	// Text is JSON that is not checked yet; valid until the next call of Next.
	Text []byte
	// Line is the line at which the record begins, from 1; 0 in files without lines.
	Line int64
	// Number counts records, from 1.
	Number int64
	// Problem is why the record can't be read; nil if it can.
	Problem *segment.Rejection
}

// Splitter returns the records of a file in their order, and io.EOF at the end. Any other error ends the file, too.
type Splitter interface {
	Next() (Record, error)
}

// place names a record for messages.
func place(line, number int64) string { return fmt.Sprintf("line %d, record %d", line, number) }
