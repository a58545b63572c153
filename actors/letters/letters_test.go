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
	must(t, d.Keep(context.Background(), []row.DeadLetter{d.letter(strings.Repeat("x", MaxText+1))}))
	for range 2 {
		got := fmt.Sprintf("%q", d.texts(t))
		if want := `["{\"a\":1,\"writeKey\" : \"(key)\",\"b\":\"(key)\"}" "not JSON, \"writeKey\":\"x\" (key)" ""]`; got != want {
			t.Fatalf("kept %s, want %s", got, want)
		}
		last, err := d.Read(3)
		if must(t, err); !last.Missing || last.Bytes != MaxText+1 {
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

// Letters of strangers fill half of the bounds at most, and displace none, however they come between the others (L5).
func TestLettersOfStrangers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := Config{Letters: rapid.IntRange(2, 12).Draw(rt, "letters"), Bytes: int64(rapid.IntRange(2, 12).Draw(rt, "room")) * rowBytes, PerSecond: 1 << 20}
		d := newDesk(t, c)
		defer func() { d.Close() }()
		for i := range rapid.IntRange(1, 20).Draw(rt, "steps") {
			var letters []row.DeadLetter
			for range rapid.IntRange(1, 3).Draw(rt, "together") {
				letters = append(letters, d.letter(fmt.Sprint("stranger ", i)))
			}
			before, evicted := d.texts(t), count(d.metrics.evicted)
			if rapid.Bool().Draw(rt, "stranger") {
				err := d.KeepAside(context.Background(), letters)
				n, bytes := d.Size()
				got := d.texts(t)
				switch {
				case err != nil && (!errors.Is(err, ErrBusy) || len(got) != len(before)):
					rt.Fatalf("refused with %v, %d letters were %d", err, len(got), len(before))
				case err == nil && (n > c.Letters/asideShare || bytes > c.Bytes/asideShare || len(got) != len(before)+len(letters)):
					rt.Fatalf("%d letters of %d bytes, %d were there before: %+v", n, bytes, len(before), c)
				}
				if count(d.metrics.evicted) != evicted {
					rt.Fatal("a letter of a stranger displaced another")
				}
				continue
			}
			must(t, d.Keep(context.Background(), letters))
		}
	})
}

// While strangers send as fast as they can, half of the rate is left for the others.
func TestStrangersLeaveRate(t *testing.T) {
	d := newDesk(t, Config{PerSecond: 10})
	defer d.Close()
	for i := range 20 {
		if err := d.KeepAside(context.Background(), []row.DeadLetter{d.letter("x")}); (err == nil) != (i < 5) {
			t.Errorf("letter %d: %v", i, err)
		}
	}
	for range 5 {
		must(t, d.Keep(context.Background(), []row.DeadLetter{d.letter("y")}))
	}
	if n, _ := d.Size(); n != 10 || count(d.metrics.lost) != 15 {
		t.Errorf("%d letters, %v lost", n, count(d.metrics.lost))
	}
}

// That they are full is told until a tenth of the room is free.
func TestFull(t *testing.T) {
	d := newDesk(t, Config{Letters: 20})
	defer d.Close()
	for i := range 20 {
		must(t, d.Keep(context.Background(), []row.DeadLetter{d.letter(fmt.Sprint(i))}))
	}
	if d.Full() {
		t.Error("full, though nothing was dropped")
	}
	must(t, d.Keep(context.Background(), []row.DeadLetter{d.letter("more")}))
	for number := uint64(2); number < 5; number++ {
		if !d.Full() {
			t.Errorf("before letter %d is dropped, there is room", number)
		}
		must(t, d.Drop(context.Background(), number))
	}
	if d.Full() {
		t.Error("full, though a tenth of the room is free")
	}
}
