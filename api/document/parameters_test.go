package document

import (
	"encoding/json"
	"math"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph/score"
)

// parametersOf2023 are parameters with a value of its own in every field.
func parametersOf2023() score.Parameters {
	return score.Parameters{
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
}

func TestParameters(t *testing.T) {
	got, err := json.Marshal(NewParameters(parametersOf2023(), score.Terms{HorizonDays: 365, AnnualDiscount: .15, Margin: .4}))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"settings":{"horizon_days":365,"annual_discount":0.15,"margin":0.4},` +
		`"parameters":{"version":7,"fitted_at":"2023-11-14T22:13:20.123Z","sample":{"identities":40000,"sampled":20000,"customers":5432},` +
		`"orders":{"r":0.5,"alpha":10.5,"s":0.625,"beta":11.5,"log_likelihood":-9595},` +
		`"spend":{"p":6.25,"q":3.75,"gamma":1544,"log_likelihood":-4055.5},` +
		`"affinity":{"half_life_days":300,"offers_known":true,"offers":{"a":1,"b":3,"mean":0.25,"measured":true},` +
		`"coupons":{"a":1,"b":1,"mean":0.5,"measured":false},"reductions":{"a":2,"b":6,"mean":0.25,"measured":true},` +
		`"classes":{"mail":0.25},"closed_offers":2000,"intercept":0.125,"mean_log_rate":-3.5,"depth":0.2,"depth_weight":9000,"lift":1.5,"lift_concentration":13},` +
		`"rfm":{"days":[30,90,180,365],"orders":[1,2,4,8],"money":[2500,5000,10000,25000]},` +
		`"interests":{"concentration":160,"dealings":{"wine":12}}}}`
	if string(got) != want {
		t.Errorf("document\n%s\nwant\n%s", got, want)
	}
}

// Where nothing was measured, what stands for it is shown, and numbers that JSON has not are null.
func TestParametersOfColdStart(t *testing.T) {
	d := NewParameters(score.ColdStart(), score.Terms{HorizonDays: math.Inf(1), AnnualDiscount: .15, Margin: 1})
	got, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"horizon_days":null`, `"version":0,"fitted_at":null`, `"log_likelihood":null`, `"half_life_days":365`, `"classes":{}`, `"dealings":{}`,
		`"lift":1,`, `"concentration":100`, `"offers":{"a":1,"b":1,"mean":0.5,"measured":false}`,
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
}

// Every field of a snapshot is in its document, and every key is in snake_case.
func TestParametersIsWhole(t *testing.T) {
	text := func(p score.Parameters) string {
		got, err := json.Marshal(NewParameters(p, score.Terms{}.WithDefaults()))
		if err != nil {
			t.Fatal(err)
		}
		return string(got)
	}
	p := parametersOf2023()
	before := text(p)
	var each func(path string, v reflect.Value)
	each = func(path string, v reflect.Value) {
		old := reflect.New(v.Type()).Elem()
		old.Set(v)
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				each(path+"."+v.Type().Field(i).Name, v.Field(i))
			}
			return
		case reflect.Array:
			for i := range v.Len() {
				each(path, v.Index(i))
			}
			return
		case reflect.Float64:
			v.SetFloat(v.Float() + 1)
		case reflect.Int, reflect.Int64:
			v.SetInt(v.Int() + 1)
		case reflect.Uint64:
			v.SetUint(v.Uint() + 1)
		case reflect.Bool:
			v.SetBool(!v.Bool())
		case reflect.Map:
			v.SetZero()
		default:
			t.Fatalf("%s is a %s: teach this test about it", path, v.Kind())
		}
		if text(p) == before {
			t.Errorf("the document does not tell of %s", path)
		}
		v.Set(old)
	}
	each("Parameters", reflect.ValueOf(&p).Elem())
	snake := regexp.MustCompile(`^"[a-z]+(_[a-z]+)*":$`)
	for _, key := range regexp.MustCompile(`"[^"]*":`).FindAllString(before, -1) {
		if !snake.MatchString(key) {
			t.Errorf("key %s", key)
		}
	}
}
