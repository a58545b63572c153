package kafka

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// W2: an offset without a record is passed over; what was trimmed away is an error; and so is what was never there.
func TestHolesAndTrimmedStarts(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		l := w.open()
		defer l.Close()
		must(t, l, 0, "a")
		w.marker(0, "b") // 1, and the end of the transaction at 2
		must(t, l, 0, "c")
		must(t, l, 0, "d")
		got, err := read(t.Context(), l, 0, 0, 4)
		if err != nil || text(got) != "0=a 1=b 3=c 4=d " {
			t.Fatalf("%s%v", text(got), err)
		}
		if got, err = read(t.Context(), l, 0, 2, 4); err != nil || text(got) != "3=c 4=d " {
			t.Fatalf("from the hole: %s%v", text(got), err)
		}
		if err := l.Trim(t.Context(), 0, 3); err != nil {
			t.Fatal(err)
		}
		var trimmed *TrimmedError
		if _, err = read(t.Context(), l, 0, 1, 4); !errors.As(err, &trimmed) || *trimmed != (TrimmedError{0, 1, 3}) {
			t.Errorf("from before the start: %v", err)
		}
		if got, err = read(t.Context(), l, 0, 3, 4); err != nil || text(got) != "3=c 4=d " {
			t.Errorf("from the start: %s%v", text(got), err)
		}
		var short *ShortError
		if _, err = read(t.Context(), l, 0, 6, 6); !errors.As(err, &short) || *short != (ShortError{0, 6, 5}) {
			t.Errorf("from after the end: %v", err)
		}
		if err := l.Trim(t.Context(), 0, 1); err != nil { // again, and less
			t.Error(err)
		}
		if err := l.Trim(t.Context(), 0, 9); err == nil {
			t.Error("trimmed past the end")
		}
		ranges, err := l.Ranges(t.Context())
		if err != nil || ranges[0] != (Range{3, 5}) || ranges[1] != (Range{0, 0}) {
			t.Errorf("%v, %v", ranges, err)
		}
	})
}

// A reader at the end waits for what comes, and says where the partition ended.
func TestReaderWaits(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		l := w.open()
		defer l.Close()
		r, err := l.Follow(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if _, err := r.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("an empty partition: %v", err)
		}
		cancel()
		for i := range 5 {
			must(t, l, 0, fmt.Sprint(i))
			b, err := r.Next(t.Context())
			if err != nil || len(b.Records) != 1 || b.End != int64(i+1) {
				t.Fatalf("%+v, %v", b, err)
			}
		}
		again, err := l.Follow(0, 3)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := again.Next(t.Context()); err != nil || b.Records[0].Offset != 3 {
			t.Errorf("%+v, %v", b, err)
		}
		if _, err := r.Next(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("the reader before: %v", err)
		}
		again.Close()
		again.Close()
		if _, err := again.Next(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		if _, err := l.Follow(2, 0); err == nil {
			t.Error("no such partition")
		}
		if _, err := l.Follow(0, -1); err == nil {
			t.Error("no such offset")
		}
	})
}

// W4: a reader that does not read holds back its own partition alone.
func TestReadAheadIsBounded(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		l := w.open()
		defer l.Close()
		noise := make([]byte, 600<<10) // which no codec makes shorter
		for i, random := 0, rand.NewPCG(1, 1); i < len(noise); i++ {
			noise[i] = byte(random.Uint64())
		}
		large := string(noise)
		const records = 40
		for range records {
			must(t, l, 0, large)
			must(t, l, 1, "y")
		}
		slow, err := l.Follow(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := read(t.Context(), l, 1, 0, records-1); err != nil || len(got) != records {
			t.Fatalf("the other partition: %d records, %v", len(got), err)
		}
		time.Sleep(time.Minute)
		slow.mu.Lock()
		waits := slow.size
		slow.mu.Unlock()
		if waits > readAhead+fetchMost {
			t.Errorf("%d bytes wait", waits)
		}
		for next := int64(0); next < records; {
			b, err := slow.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range b.Records {
				if r.Offset != next || len(r.Value) != len(large) {
					t.Fatalf("offset %d, want %d", r.Offset, next)
				}
				next++
			}
		}
	})
}

// W2, at random: readers begin anywhere and at any moment, leave, are replaced, while others append, leaders move and the
// start is trimmed. Each gets the records from its offset on, with no hole where a record is.
func TestReadersBeginAnywhere(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inWorld(t, 3, func(t *testing.T, w *world) { readAnywhere(t, w, rand.New(rand.NewPCG(seed, 1)), false) })
		})
	}
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("leaders move, ", seed), func(t *testing.T) {
			inRealTime(t, 3, func(t *testing.T, w *world) { readAnywhere(t, w, rand.New(rand.NewPCG(seed, 2)), true) })
		})
	}
}

func readAnywhere(t *testing.T, w *world, random *rand.Rand, moves bool) {
	l := w.open()
	defer l.Close()
	var ends, starts [3]int64
	append := func() {
		for range random.IntN(8) {
			p := random.Int32N(3)
			ends[p] = must(t, l, p, fmt.Sprint(ends[p])) + 1
		}
	}
	for range 30 {
		append()
		p := random.Int32N(3)
		from := random.Int64N(ends[p] + 1)
		switch random.IntN(6) {
		case 0:
			if moves {
				w.fake.ShufflePartitionLeaders()
			}
		case 1:
			if before := random.Int64N(ends[p] + 1); before > starts[p] && random.IntN(3) == 0 {
				if err := l.Trim(t.Context(), p, before); err != nil {
					t.Fatal(err)
				}
				starts[p] = before
			}
		}
		r, err := l.Follow(p, from)
		if err != nil {
			t.Fatal(err)
		}
		append()
		for next := from; next < ends[p] && random.IntN(5) > 0; {
			b, err := r.Next(t.Context())
			var trimmed *TrimmedError
			if errors.As(err, &trimmed) && next < starts[p] {
				break
			}
			if err != nil || len(b.Records) == 0 {
				t.Fatalf("partition %d from %d at %d: %+v, %v", p, from, next, b, err)
			}
			for _, record := range b.Records {
				if record.Offset != next || string(record.Value) != fmt.Sprint(next) {
					t.Fatalf("partition %d from %d: offset %d is %s, want %d", p, from, record.Offset, record.Value, next)
				}
				next++
			}
			append()
		}
		if random.IntN(2) == 0 {
			r.Close()
		}
	}
}
