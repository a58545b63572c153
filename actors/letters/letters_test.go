package letters

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func count(c prometheus.Counter) float64 {
	registry := prometheus.NewRegistry()
	registry.MustRegister(c)
	families, _ := registry.Gather()
	return families[0].GetMetric()[0].GetCounter().GetValue()
}

// desk is a store with letters on it, and a clock.
type desk struct {
	*Letters
	rows *catalog.Catalog
	now  int64
	log  bytes.Buffer
}

func newDesk(t testing.TB, c Config) *desk {
	t.Helper()
	d := &desk{rows: catalog.New(storage.NewMemStore(), nil), now: 1 << 40}
	d.open(t, c)
	return d
}

func (d *desk) open(t testing.TB, c Config) {
	t.Helper()
	c.Catalog, c.Now, c.Logger = d.rows, func() int64 { return d.now }, slog.New(slog.NewTextHandler(&d.log, nil))
	if d.Letters != nil {
		d.Close()
	}
	var err error
	d.Letters, err = Open(c)
	must(t, err)
}

func (d *desk) letter(text string) row.DeadLetter {
	return row.DeadLetter{At: d.now, Code: "bad_type", Text: []byte(text)}
}

func (d *desk) texts(t testing.TB) (texts []string) {
	t.Helper()
	must(t, d.List(0, func(l *row.DeadLetter) error { texts = append(texts, string(l.Text)); return nil }))
	return texts
}

// Letters are there after a restart, in their order, without keys, until they are dropped.
func TestLettersSurvive(t *testing.T) {
	d := newDesk(t, Config{})
	key := "wk_" + strings.Repeat("a", 52)
	must(t, d.Keep(context.Background(), []row.DeadLetter{d.letter(`{"a":1,"writeKey" : "plain","b":"` + key + `"}`), d.letter(`not JSON, "writeKey":"x" ` + key)}))
	must(t, d.Keep(context.Background(), []row.DeadLetter{d.letter(strings.Repeat("x", maxText+1))}))
	for range 2 {
		got := fmt.Sprintf("%q", d.texts(t))
		if want := `["{\"a\":1,\"writeKey\" : \"(key)\",\"b\":\"(key)\"}" "not JSON, \"writeKey\":\"x\" (key)" ""]`; got != want {
			t.Fatalf("kept %s, want %s", got, want)
		}
		last, err := d.Read(3)
		if must(t, err); !last.Missing || last.Bytes != maxText+1 {
			t.Errorf("a long event: %+v", last)
		}
		d.open(t, Config{})
	}
	must(t, d.Drop(context.Background(), 1))
	if err := d.Drop(context.Background(), 1); !errors.Is(err, ErrNoSuch) {
		t.Errorf("dropped twice: %v", err)
	}
	if n, _ := d.Size(); n != 2 {
		t.Errorf("%d letters are left", n)
	}
	must(t, d.Keep(context.Background(), []row.DeadLetter{d.letter("new")}))
	if l, err := d.Read(4); err != nil || string(l.Text) != "new" {
		t.Errorf("a number was given again: %v", err)
	}
	d.Close()
}

// Whatever comes, what is kept stays within the bounds, and is the newest of what came; the counts add up (L2).
func TestLettersAreBounded(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := Config{
			Letters: rapid.IntRange(1, 6).Draw(rt, "letters"), Bytes: int64(rapid.IntRange(200, 2000).Draw(rt, "bytes")),
			Age: time.Duration(rapid.IntRange(1, 5).Draw(rt, "age")) * time.Second,
		}
		d := newDesk(t, c)
		defer func() { d.Close() }()
		came := []string{}
		for i := range rapid.IntRange(1, 20).Draw(rt, "steps") {
			switch rapid.IntRange(0, 4).Draw(rt, "step") {
			case 0:
				d.now += 1000
			case 1:
				d.open(t, c)
			default:
				var letters []row.DeadLetter
				for j := range rapid.IntRange(1, 4).Draw(rt, "together") {
					text := fmt.Sprint(i, " ", j, strings.Repeat("x", rapid.IntRange(0, 300).Draw(rt, "length")))
					letters, came = append(letters, d.letter(text)), append(came, text)
				}
				must(t, d.Keep(context.Background(), letters))
			}
			got := d.texts(t)
			n, bytes := d.Size()
			if n > c.Letters || bytes > c.Bytes || len(got) > n {
				rt.Fatalf("%d letters of %d bytes, %d are shown: %+v", n, bytes, len(got), c)
			}
			if fmt.Sprint(got) != fmt.Sprint(came[len(came)-len(got):]) {
				rt.Fatalf("kept %q of %q", got, came)
			}
			size := int64(0)
			must(t, row.ScanDeadLetters(d.rows.Reader(), 0, func(_ *row.DeadLetter, bytes int) error { size += int64(bytes); return nil }))
			if size > c.Bytes {
				rt.Fatalf("%d bytes on disk, of %d", size, c.Bytes)
			}
		}
	})
}

// When they are full, it is told once and counted. Old letters are shown no more, and leave the disk.
func TestLettersTellThatTheyAreFull(t *testing.T) {
	d := newDesk(t, Config{Letters: 3})
	for i := range 6 {
		must(t, d.Keep(context.Background(), []row.DeadLetter{d.letter(fmt.Sprint(i))}))
	}
	if got := fmt.Sprint(d.texts(t)); got != "[3 4 5]" || count(d.metrics.evicted) != 3 || strings.Count(d.log.String(), "full") != 1 {
		t.Errorf("kept %s, %v were evicted; log: %s", got, count(d.metrics.evicted), d.log.String())
	}
	d.now += DefaultAge.Milliseconds() + 1
	if _, err := d.Read(5); !errors.Is(err, ErrNoSuch) || len(d.texts(t)) != 0 {
		t.Errorf("an old letter is shown: %v", err)
	}
	d.tick()
	if _, err := row.ReadDeadLetter(d.rows.Reader(), 5); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("an old letter is on disk: %v", err)
	}
	d.Close()
}

// A flood is not kept beyond the rate, and does not grow what waits.
func TestLettersBoundTheRate(t *testing.T) {
	d := newDesk(t, Config{PerSecond: 100})
	defer d.Close()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if err := d.Keep(context.Background(), []row.DeadLetter{d.letter("x")}); err != nil && !errors.Is(err, ErrBusy) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n, _ := d.Size(); n != 100 || count(d.metrics.lost) != 300 || count(d.metrics.kept) != 100 || d.size != 0 {
		t.Errorf("%d letters kept, %v lost, %d bytes wait", n, count(d.metrics.lost), d.size)
	}
}
