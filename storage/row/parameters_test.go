package row

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/storage"
)

func sampleParameters() score.Parameters {
	p := score.ColdStart()
	p.Version, p.FittedAt, p.Sampled, p.Customers = 7, 1_700_000_000_000, 5000, 4321
	return p
}

func TestParameters(t *testing.T) {
	s := storage.NewMemStore()
	if _, err := ReadParameters(s); !errors.Is(err, storage.ErrNotFound) {
		t.Fatalf("%v, want storage.ErrNotFound", err)
	}
	want := sampleParameters()
	want.Orders.R = 0.1 + 0.2 // no short decimal
	want.Affinity = score.AffinityParameters{OffersKnown: true, Offers: score.Beta{A: math.Pi, B: 1e9}, Classes: map[string]float64{"post": 1.0 / 3}}
	want.Dealings = map[string]uint64{"": 3, "wine": math.MaxUint64}
	var b storage.Batch
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

// rowOfGoNames is the JSON of a row as the first programs wrote it. Its keys are the names of fields of graph/score: who
// renames one has to go on reading these.
const rowOfGoNames = `{"Version":7,"FittedAt":1700000000123,"Identities":40000,"Sampled":20000,"Customers":5432,` +
	`"Orders":{"R":0.5,"Alpha":10.5,"S":0.625,"Beta":11.5},"Spend":{"P":6.25,"Q":3.75,"Gamma":1544},` +
	`"Affinity":{"HalfLife":300,"OffersKnown":true,"Offers":{"A":1,"B":3},"Coupons":{"A":0,"B":0},"Reductions":{"A":2,"B":6},` +
	`"Classes":{"mail":0.25},"MeanLogRate":-3.5,"Intercept":0.125,"Depth":0.2,"DepthWeight":9000,"Lift":1.5,"LiftConcentration":13},` +
	`"RFM":{"Days":[30,90,180,365],"Count":[1,2,4,8],"Money":[2500,5000,10000,25000]},"Dealings":{"wine":12},"InterestConcentration":160,` +
	`"OrdersLogLikelihood":-9595,"SpendLogLikelihood":-4055.5,"ClosedOffers":2000}`

// Rows that were written once are read for ever, and are written the same.
func TestParametersRowStays(t *testing.T) {
	row := append([]byte{1}, rowOfGoNames...)
	row = binary.BigEndian.AppendUint32(row, crc32.Checksum(row, castagnoli))
	got, err := decodeParameters(row)
	if err != nil {
		t.Fatal(err)
	}
	want := score.Parameters{
		Version: 7, FittedAt: 1_700_000_000_123, Identities: 40_000, Sampled: 20_000, Customers: 5432,
		Orders: score.ParetoNBD{R: .5, Alpha: 10.5, S: .625, Beta: 11.5}, Spend: score.GammaGamma{P: 6.25, Q: 3.75, Gamma: 1544},
		Affinity: score.AffinityParameters{
			HalfLife: 300, OffersKnown: true, Offers: score.Beta{A: 1, B: 3}, Reductions: score.Beta{A: 2, B: 6},
			Classes: map[string]float64{"mail": .25}, MeanLogRate: -3.5, Intercept: .125, Depth: .2, DepthWeight: 9000, Lift: 1.5, LiftConcentration: 13,
		},
		RFM:      score.RFMEdges{Days: [4]int64{30, 90, 180, 365}, Count: [4]int64{1, 2, 4, 8}, Money: [4]int64{2500, 5000, 10000, 25000}},
		Dealings: map[string]uint64{"wine": 12}, InterestConcentration: 160,
		OrdersLogLikelihood: -9595, SpendLogLikelihood: -4055.5, ClosedOffers: 2000,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read\n%+v\nwant\n%+v", got, want)
	}
	again, err := appendParameters(nil, &want)
	if err != nil || string(again) != string(row) {
		t.Errorf("%v: written\n%q\nwant\n%q", err, again, row)
	}
	row[0] = 2
	row = binary.BigEndian.AppendUint32(row[:len(row)-4], crc32.Checksum(row[:len(row)-4], castagnoli))
	if _, err := decodeParameters(row); err == nil || !strings.Contains(err.Error(), "parameters row of version 2, want 1") {
		t.Errorf("a row of a version to come: %v", err)
	}
}
