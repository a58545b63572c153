package split

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/parquet-go/parquet-go"
)

// all lists the records of a file, each with its place, and the error that ends it.
func all(s Splitter) string {
	var b strings.Builder
	for {
		r, err := s.Next()
		switch {
		case errors.Is(err, io.EOF):
			return b.String()
		case err != nil:
			fmt.Fprintf(&b, "error: %v", err)
			return b.String()
		case r.Problem != nil:
			fmt.Fprintf(&b, "%d/%d %s: %s\n", r.Line, r.Number, r.Problem.Code, r.Problem.Message)
		default:
			fmt.Fprintf(&b, "%d/%d %s\n", r.Line, r.Number, r.Text)
		}
	}
}

func TestLines(t *testing.T) {
	shout := func(dst, line []byte) ([]byte, error) {
		if bytes.Equal(line, []byte("bad")) {
			return dst, errors.New("a bad line")
		}
		return append(dst, bytes.ToUpper(line)...), nil
	}
	long := strings.Repeat("x", 200_000)
	for text, want := range map[string]string{
		"":                       "",
		"\n\r\n":                 "",
		"a\r\n\nb\tc":            "1/1 A\n3/2 B\tC\n",
		"a\nbad\nb\n":            "1/1 A\n2/2 undecodable: a bad line\n3/3 B\n",
		"a\n" + long + "\nb":     "1/1 A\n2/2 event_too_large: more than 200 bytes\n3/3 B\n",
		long:                     "1/1 event_too_large: more than 200 bytes\n",
		long[:200] + "\r\nb":     "1/1 " + strings.ToUpper(long[:200]) + "\n2/2 B\n",
		long[:201] + "\n\n\nb\n": "1/1 event_too_large: more than 200 bytes\n4/2 B\n",
	} {
		for _, in := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text))} {
			if got := all(NewLines(in, 200, shout)); got != want {
				t.Errorf("%.30q:\n%.300s\nwant\n%s", text, got, want)
			}
		}
	}
}

func TestDocuments(t *testing.T) {
	long := strings.Repeat("x", 300)
	for text, want := range map[string]string{
		"":       "",
		" [ ]\n": "",
		"[{\"a\":[1,{}]},\n {\"b\":\"]\\\"\"} ,7]":                                    "1/1 {\"a\":[1,{}]}\n2/2 {\"b\":\"]\\\"\"}\n2/3 7\n",
		"{\n\"a\": 1\n}\n{\"b\":2}":                                                   "1/1 {\n\"a\": 1\n}\n4/2 {\"b\":2}\n",
		`{"sentAt":"x","batch":[{"batch":[1]},2],"more":[{"batch":[]}]}{"batch":[3]}`: "1/1 {\"batch\":[1]}\n1/2 2\n1/3 3\n",
		`{"batch":"x","a":{"batch":[1]},"b":"batch","c":["batch"]}`:                   "1/1 {\"batch\":\"x\",\"a\":{\"batch\":[1]},\"b\":\"batch\",\"c\":[\"batch\"]}\n",
		`[{"a":"` + long + `"},{"b":1}]`:                                              "1/1 event_too_large: more than 200 bytes\n1/2 {\"b\":1}\n",
		`{"x":"` + long + `","batch":[{"b":1}]}`:                                      "1/1 {\"b\":1}\n",
		`[{"a":1},`:                                                                   "1/1 {\"a\":1}\nerror: broken off after line 1, record 1: unexpected EOF",
		`[{"a":1}`:                                                                    "1/1 {\"a\":1}\nerror: broken off after line 1, record 1: unexpected EOF",
		"[{\"a\":1},\n{\"b\":":                                                        "1/1 {\"a\":1}\nerror: broken off after line 2, record 1: unexpected EOF",
		`[{"a":1}{"b":2}]`:                                                            "1/1 {\"a\":1}\nerror: not JSON after line 1, record 1: want , or ], got '{'",
		`[{"a":1},]`:                                                                  "1/1 {\"a\":1}\nerror: not JSON after line 1, record 1: want a record after the comma, got ']'",
		"{\"a\":1}\nnext":                                                             "1/1 {\"a\":1}\nerror: line 2, record 2: not JSON: want an object or a list of them, got 'n'",
		`{"batch":[{"a":1}],"x":`:                                                     "1/1 {\"a\":1}\nerror: broken off after line 1, record 1: unexpected EOF",
	} {
		for _, in := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text))} {
			if got := all(NewDocuments(in, 200, "batch")); got != want {
				t.Errorf("%s:\n%s\nwant\n%s", text, got, want)
			}
		}
	}
}

func TestTable(t *testing.T) {
	for text, want := range map[string]string{
		"id,name\n1,Ann\n2,\n":                              "2/1 {\"id\":\"1\",\"name\":\"Ann\"}\n3/2 {\"id\":\"2\"}\n",
		"\ufeffid;name\r\n1;\"a;b \"\"c\"\"\r\n\r\nd\"\r\n": "2/1 {\"id\":\"1\",\"name\":\"a;b \\\"c\\\"\\n\\nd\"}\n",
		"a\tb\n1\t2,3\n":                                    "2/1 {\"a\":\"1\",\"b\":\"2,3\"}\n",
		"a|b\n1|2\n":                                        "2/1 {\"a\":\"1\",\"b\":\"2\"}\n",
		"\"a,b\",c;d\n1,2\n":                                "2/1 {\"a,b\":\"1\",\"c;d\":\"2\"}\n",
		"a,,a,a\n1,2,3,4\n":                                 "2/1 {\"a\":\"1\",\"column 2\":\"2\",\"a 2\":\"3\",\"a 3\":\"4\"}\n",
		"a,b\n1\n1,2,3\n4,5\n":                              "2/1 undecodable: csv: has 1 cells, and the header has 2 columns\n3/2 undecodable: csv: has 3 cells, and the header has 2 columns\n4/3 {\"a\":\"4\",\"b\":\"5\"}\n",
		"a,b\n1,x\"y\n4,5\n":                                "2/1 undecodable: csv: line 2, byte 4: bare \" in non-quoted-field\n3/2 {\"a\":\"4\",\"b\":\"5\"}\n",
		"a,b\n":                                             "",
		"a,b\n1,\"" + strings.Repeat("x\n", 100_000):        "error: record 1: more than 1000 bytes: see that its quotation marks are closed",
	} {
		table, err := NewTable(strings.NewReader(text), 1000)
		if err != nil {
			t.Errorf("%.40q: %v", text, err)
			continue
		}
		if got := all(table); got != want {
			t.Errorf("%.40q:\n%s\nwant\n%s", text, got, want)
		}
	}
}

type parquetRow struct {
	ID     string            `parquet:"id"`
	At     time.Time         `parquet:"at,timestamp(microsecond)"`
	Day    int32             `parquet:"day,date"`
	Amount int64             `parquet:"amount,decimal(2:18)"`
	Maybe  *int32            `parquet:"maybe,optional"`
	Tags   []string          `parquet:"tags,list"`
	Items  []parquetItem     `parquet:"items"`
	Labels map[string]string `parquet:"labels"`
	Flag   bool              `parquet:"flag"`
	Price  float64           `parquet:"price"`
}

type parquetItem struct {
	SKU    string `parquet:"sku"`
	Prices []int  `parquet:"prices"`
}

func TestParquet(t *testing.T) {
	seven := int32(7)
	var b bytes.Buffer
	w := parquet.NewGenericWriter[parquetRow](&b, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(100))
	rows := []parquetRow{
		{
			ID: "a", At: time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC), Day: 20_455, Amount: -1234, Maybe: &seven, Tags: []string{"x", "y"},
			Items: []parquetItem{{"s1", []int{1, 2}}, {"s2", nil}, {"s3", []int{3}}}, Labels: map[string]string{"k": "v"}, Flag: true, Price: 1.5,
		},
		{ID: "b \"q\""},
	}
	for range 150 {
		rows = append(rows, parquetRow{ID: "more"})
	}
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	p, err := OpenParquet(bytes.NewReader(b.Bytes()), int64(b.Len()), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	got := strings.SplitN(all(p), "\n", 4)
	want := []string{
		`0/1 {"id":"a","at":"2026-01-02T03:04:05.678Z","day":"2026-01-02","amount":-12.34,"maybe":7,"tags":["x","y"],"items":[{"sku":"s1","prices":[1,2]},{"sku":"s2","prices":[]},{"sku":"s3","prices":[3]}],"labels":{"k":"v"},"flag":true,"price":1.5}`,
		`0/2 {"id":"b \"q\"","at":"0001-01-01T00:00:00Z","day":"1970-01-01","amount":0.00,"tags":[],"items":[],"labels":{},"flag":false,"price":0}`,
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s, want\n%s", got[i], want[i])
		}
	}
	if n := strings.Count(got[3], "\n"); n != 149 || p.Passed() != int64(b.Len()) {
		t.Errorf("%d more records, %d of %d bytes", n+1, p.Passed(), b.Len())
	}
	if _, err := OpenParquet(bytes.NewReader(b.Bytes()), int64(b.Len()), 100); err == nil || !strings.Contains(err.Error(), "want at most 100") {
		t.Errorf("a bound: %v", err)
	}
	// Damage anywhere is an error or other values, never a panic.
	for at := 4; at < b.Len(); at += 7 {
		damaged := bytes.Clone(b.Bytes())
		damaged[at] ^= 0x5a
		if p, err := OpenParquet(bytes.NewReader(damaged), int64(len(damaged)), 1<<20); err == nil {
			all(p)
		}
	}
	if _, err := OpenParquet(strings.NewReader("PAR1"), 4, 0); !errors.Is(err, errDamaged) {
		t.Errorf("cut: %v", err)
	}
}
