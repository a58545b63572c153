package storage

import (
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/kindred-id/kindred/graph/score"
)

func TestParameters(t *testing.T) {
	s := NewMemStore()
	if _, err := ReadParameters(s); !errors.Is(err, ErrNotFound) {
		t.Fatalf("%v, want ErrNotFound", err)
	}
	want := score.ColdStart()
	want.Version, want.FittedAt, want.Sampled, want.Customers = 7, 1_700_000_000_000, 5000, 4321
	want.Orders.R = 0.1 + 0.2 // no short decimal
	want.Affinity = score.AffinityParameters{OffersKnown: true, Offers: score.Beta{A: math.Pi, B: 1e9}, Classes: map[string]float64{"post": 1.0 / 3}}
	want.Dealings = map[string]uint64{"": 3, "wine": math.MaxUint64}
	var b Batch
	if err := PutParameters(&b, &want); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(&b); err != nil {
		t.Fatal(err)
	}
	got, err := ReadParameters(s)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	row, err := appendParameters(nil, &want)
	if err != nil {
		t.Fatal(err)
	}
	for i := range row {
		bad := append([]byte(nil), row...)
		bad[i] ^= 1
		if _, err := decodeParameters(bad); err == nil {
			t.Errorf("a row with byte %d changed was read", i)
		}
		if _, err := decodeParameters(row[:i]); err == nil {
			t.Errorf("the first %d bytes of a row were read", i)
		}
	}
	want.Orders.Alpha = math.NaN()
	if PutParameters(&b, &want) == nil {
		t.Error("parameters that are none were taken")
	}
}
