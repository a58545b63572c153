package split

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/kindred-id/kindred/internal/jsonscan"
	"github.com/kindred-id/kindred/internal/jsontext"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// Parquet reads the rows of a Parquet file as objects. Lists and maps become lists and objects, times and dates the texts
// that events have, and decimals numbers.
type Parquet struct {
	groups []parquet.RowGroup // that are not read yet
	schema *parquet.Schema
	rows   parquet.Rows // of the current group; nil between groups
	batch  []parquet.Row
	ready  []parquet.Row // of batch, not returned yet
	number int64
	all    int64
	size   int64
	leaves [][]parquet.Value // of the current row, by column
	text   []byte            // of the current record; reused
}

// parquetRows is how many rows are read at a time.
const parquetRows = 64

// errDamaged is for a file of which the library fails to make sense.
var errDamaged = errors.New("the Parquet file is damaged")

// rescue turns a panic into an error: the library panics on some damaged files, and they come from users.
func rescue(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%w: %v", errDamaged, r)
	}
}

// OpenParquet reads a file of size bytes. Decompressed, it may have at most most bytes; 0 means any number.
func OpenParquet(file io.ReaderAt, size, most int64) (p *Parquet, err error) {
	defer rescue(&err)
	f, err := parquet.OpenFile(file, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	total := int64(0)
	for _, g := range f.Metadata().RowGroups {
		total += g.TotalByteSize
	}
	if most > 0 && total > most {
		return nil, fmt.Errorf("a Parquet file of %d bytes, decompressed: want at most %d", total, most)
	}
	return &Parquet{
		groups: f.RowGroups(), schema: f.Schema(), all: f.NumRows(), size: size,
		batch: make([]parquet.Row, parquetRows), leaves: make([][]parquet.Value, len(f.Schema().Columns())),
	}, nil
}

// Passed returns about how many bytes of the file were read.
func (p *Parquet) Passed() int64 {
	if p.all == 0 {
		return p.size
	}
	return int64(float64(p.size) * float64(p.number) / float64(p.all))
}

// Columns returns the names of the columns.
func (p *Parquet) Columns() (names []string) {
	for _, f := range p.schema.Fields() {
		names = append(names, f.Name())
	}
	return names
}

// Close releases what the current group holds.
func (p *Parquet) Close() error {
	if p.rows == nil {
		return nil
	}
	return p.rows.Close()
}

// Next returns the next row.
func (p *Parquet) Next() (r Record, err error) {
	defer rescue(&err)
	for len(p.ready) == 0 {
		if err := p.fill(); err != nil {
			return Record{}, err
		}
	}
	row := p.ready[0]
	p.ready = p.ready[1:]
	clear(p.leaves)
	row.Range(func(column int, values []parquet.Value) bool {
		p.leaves[column] = values
		return true
	})
	p.number++
	p.text = appendGroup(p.text[:0], p.schema, p.leaves, 0, 0)
	return Record{Text: p.text, Number: p.number}, nil
}

// fill reads more rows; io.EOF means that there are no more.
func (p *Parquet) fill() error {
	if p.rows == nil {
		if len(p.groups) == 0 {
			return io.EOF
		}
		p.rows, p.groups = p.groups[0].Rows(), p.groups[1:]
	}
	n, err := p.rows.ReadRows(p.batch)
	p.ready = p.batch[:n]
	if errors.Is(err, io.EOF) || err == nil && n == 0 {
		err = p.rows.Close()
		p.rows = nil
	}
	if err != nil {
		return fmt.Errorf("%w after record %d: %w", errDamaged, p.number, err)
	}
	return nil
}

// leavesOf returns how many columns a node has.
func leavesOf(n parquet.Node) int {
	if n.Leaf() {
		return 1
	}
	all := 0
	for _, f := range n.Fields() {
		all += leavesOf(f)
	}
	return all
}

// appendNode appends a node's value, of the leaves below it. rep and def are the levels of what is around the node.
func appendNode(dst []byte, n parquet.Node, leaves [][]parquet.Value, rep, def int) []byte {
	switch {
	case n.Repeated():
		return appendRepeated(dst, leaves, rep+1, def+1, func(dst []byte, leaves [][]parquet.Value) []byte {
			return appendRequired(dst, n, leaves, rep+1, def+1)
		})
	case n.Optional():
		def++
		if absentAt(leaves, def) {
			return append(dst, "null"...)
		}
	}
	return appendRequired(dst, n, leaves, rep, def)
}

// absentAt reports whether there is no value down to a level.
func absentAt(leaves [][]parquet.Value, def int) bool {
	return len(leaves) == 0 || len(leaves[0]) == 0 || leaves[0][0].DefinitionLevel() < def
}

// appendRequired appends the value of a node that is there.
func appendRequired(dst []byte, n parquet.Node, leaves [][]parquet.Value, rep, def int) []byte {
	if n.Leaf() {
		if len(leaves[0]) == 0 {
			return append(dst, "null"...)
		}
		return appendLeaf(dst, n.Type(), leaves[0][0])
	}
	fields := n.Fields()
	if len(fields) == 1 && fields[0].Repeated() && !fields[0].Leaf() {
		inner, of := fields[0], fields[0].Fields()
		kind := ""
		if t := n.Type().LogicalType(); t != nil {
			kind = t.String()
		}
		switch {
		case len(of) == 1 && (kind == "LIST" || inner.Name() == "list"):
			return appendRepeated(dst, leaves, rep+1, def+1, func(dst []byte, leaves [][]parquet.Value) []byte {
				return appendNode(dst, of[0], leaves, rep+1, def+1)
			})
		case len(of) == 2 && of[0].Leaf() && (kind == "MAP" || inner.Name() == "key_value"):
			return appendMap(dst, of, leaves, rep+1, def+1)
		}
	}
	return appendGroup(dst, n, leaves, rep, def)
}

// appendGroup appends an object. Members without a value are left out.
func appendGroup(dst []byte, n parquet.Node, leaves [][]parquet.Value, rep, def int) []byte {
	dst = append(dst, '{')
	at := 0
	for _, f := range n.Fields() {
		own := leaves[at : at+leavesOf(f)]
		at += len(own)
		if f.Optional() && absentAt(own, def+1) {
			continue
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = appendNode(append(jsontext.AppendVerbatim(dst, f.Name()), ':'), f, own, rep, def)
	}
	return append(dst, '}')
}

// appendRepeated appends a list of what each makes of the leaves of its elements.
func appendRepeated(dst []byte, leaves [][]parquet.Value, rep, def int, each func([]byte, [][]parquet.Value) []byte) []byte {
	dst = append(dst, '[')
	elements(leaves, rep, def, func(first bool, element [][]parquet.Value) {
		if !first {
			dst = append(dst, ',')
		}
		dst = each(dst, element)
	})
	return append(dst, ']')
}

// appendMap appends an object of keys and values.
func appendMap(dst []byte, of []parquet.Field, leaves [][]parquet.Value, rep, def int) []byte {
	dst = append(dst, '{')
	elements(leaves, rep, def, func(first bool, element [][]parquet.Value) {
		if !first {
			dst = append(dst, ',')
		}
		key := appendNode(nil, of[0], element[:1], rep, def)
		if key[0] != '"' {
			key = jsontext.AppendVerbatim(nil, key)
		}
		dst = appendNode(append(append(dst, key...), ':'), of[1], element[1:], rep, def)
	})
	return append(dst, '}')
}

// elements cuts leaves into those of the elements of a list: a value whose repetition level is not above that of the
// list begins the next element.
func elements(leaves [][]parquet.Value, rep, def int, each func(first bool, element [][]parquet.Value)) {
	if absentAt(leaves, def) {
		return
	}
	at := make([]int, len(leaves))
	element := make([][]parquet.Value, len(leaves))
	for first := true; at[0] < len(leaves[0]); first = false {
		for i, values := range leaves {
			end := at[i] + 1
			for end < len(values) && values[end].RepetitionLevel() > rep {
				end++
			}
			element[i] = values[min(at[i], len(values)):min(end, len(values))]
			at[i] = end
		}
		each(first, element)
	}
}

// appendLeaf appends a value of a column.
func appendLeaf(dst []byte, t parquet.Type, v parquet.Value) []byte {
	if v.IsNull() {
		return append(dst, "null"...)
	}
	if logical := t.LogicalType(); logical != nil {
		switch kind := logical.Value.(type) {
		case *format.TimestampType:
			return appendTime(dst, v.Int64(), kind.Unit)
		case *format.DateType:
			day := time.Unix(int64(v.Int32())*86400, 0).UTC()
			return append(day.AppendFormat(append(dst, '"'), time.DateOnly), '"')
		case *format.DecimalType:
			return appendDecimal(dst, v, int(kind.Scale))
		case *format.UUIDType:
			if b := v.ByteArray(); len(b) == 16 {
				return fmt.Appendf(dst, `"%x-%x-%x-%x-%x"`, b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
			}
		case *format.IntType:
			if !kind.IsSigned && v.Kind() == parquet.Int64 {
				return strconv.AppendUint(dst, uint64(v.Int64()), 10)
			}
			if !kind.IsSigned {
				return strconv.AppendUint(dst, uint64(uint32(v.Int32())), 10)
			}
		case *format.JsonType:
			var s jsonscan.Scanner
			s.Reset(v.ByteArray(), new(jsonscan.Arena))
			if s.Value(); s.End() == nil {
				return append(dst, v.ByteArray()...)
			}
		}
	}
	switch v.Kind() {
	case parquet.Boolean:
		return strconv.AppendBool(dst, v.Boolean())
	case parquet.Int32:
		return strconv.AppendInt(dst, int64(v.Int32()), 10)
	case parquet.Int64:
		return strconv.AppendInt(dst, v.Int64(), 10)
	case parquet.Int96:
		return appendInt96(dst, v.Int96())
	case parquet.Float:
		return appendFloat(dst, float64(v.Float()), 32)
	case parquet.Double:
		return appendFloat(dst, v.Double(), 64)
	}
	if b := v.ByteArray(); utf8.Valid(b) {
		return jsontext.AppendVerbatim(dst, b)
	}
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), v.ByteArray()), '"')
}

// appendFloat appends a number; one that JSON can't express is null.
func appendFloat(dst []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, bits)
}

// appendTime appends a time as RFC 3339 in UTC.
func appendTime(dst []byte, n int64, unit format.TimeUnit) []byte {
	t := time.Unix(n/1e9, n%1e9)
	switch unit.Value.(type) {
	case *format.MilliSeconds:
		t = time.UnixMilli(n)
	case *format.MicroSeconds:
		t = time.UnixMicro(n)
	}
	return append(t.UTC().AppendFormat(append(dst, '"'), time.RFC3339Nano), '"')
}

// julianEpoch is the Julian day of 1970-01-01.
const julianEpoch = 2_440_588

// appendInt96 appends a time as old writers have it: nanoseconds of the day, and a Julian day.
func appendInt96(dst []byte, n deprecated.Int96) []byte {
	nanos := int64(uint64(n[1])<<32 | uint64(n[0]))
	t := time.Unix((int64(n[2])-julianEpoch)*86400, nanos)
	return append(t.UTC().AppendFormat(append(dst, '"'), time.RFC3339Nano), '"')
}

// appendDecimal appends a decimal fraction with scale digits after the point.
func appendDecimal(dst []byte, v parquet.Value, scale int) []byte {
	n := new(big.Int)
	switch v.Kind() {
	case parquet.Int32:
		n.SetInt64(int64(v.Int32()))
	case parquet.Int64:
		n.SetInt64(v.Int64())
	default: // two's complement, the highest byte first
		b := v.ByteArray()
		n.SetBytes(b)
		if len(b) > 0 && b[0] >= 0x80 {
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
		}
	}
	tens := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(0, min(scale, 100)))), nil)
	return append(dst, new(big.Rat).SetFrac(n, tens).FloatString(max(0, min(scale, 100)))...)
}
