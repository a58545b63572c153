package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors/scoring"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"gonum.org/v1/gonum/stat"
)

// scoredWorld is a world with scores and a control group of half of all.
func scoredWorld(t *testing.T) *world {
	t.Helper()
	w := newWorldUnder(t, 16, graph.DefaultRules(), nil)
	w.reconfigure(func(c *Config) {
		var err error
		if c.Scores, err = scoring.Open(w.engine, score.Terms{}); err != nil {
			t.Fatal(err)
		}
		if c.Control, err = score.NewControl(0.5); err != nil {
			t.Fatal(err)
		}
	})
	return w
}

const (
	dayMillis  = 24 * 60 * 60 * 1000
	reportDays = 30
	reportFrom = clock - reportDays*dayMillis
)

// customerOf makes the past of one customer of two devices, and tells how many offers of the window they got and accepted.
func customerOf(rng *rand.Rand, n int) (events []string, sent, accepted uint64) {
	user, cookie := fmt.Sprint("u", n), fmt.Sprint("c", n)
	add := func(at int64, name, properties string) {
		who := `"userId":"` + user + `"`
		if rng.IntN(2) == 0 {
			who = `"anonymousId":"` + cookie + `"`
		}
		events = append(events, fmt.Sprintf(`{"type":"track","messageId":"%d %d",%s,"timestamp":"%s","event":"%s","properties":{%s}}`,
			n, len(events), who, document.NewTime(at), name, properties))
	}
	// times are around the window, its ends included.
	times := []int64{reportFrom - 60*dayMillis, reportFrom - dayMillis, reportFrom, reportFrom + 1, clock - 9*dayMillis, clock - 1, clock}
	when := func() (at int64, within bool) {
		at = times[rng.IntN(len(times))]
		return at, at > reportFrom
	}
	events = append(events, fmt.Sprintf(`{"type":"identify","messageId":"%d login","userId":"%s","anonymousId":"%s","timestamp":"%s"}`,
		n, user, cookie, document.NewTime(times[0]-dayMillis)))
	for i := range rng.IntN(4) {
		at, _ := when()
		id := fmt.Sprintf(`"order_id":"%d %d"`, n, i)
		properties := fmt.Sprintf(`%s,"revenue":%d,"currency":"%s"`, id, 10+rng.IntN(90), []string{"USD", "JPY", "KWD"}[rng.IntN(3)])
		if rng.IntN(2) == 0 {
			properties += `,"discount":1,"coupon":"TEN"`
		}
		add(at, "Order Completed", properties)
		switch rng.IntN(6) {
		case 0:
			add(at, "Order Cancelled", id)
		case 1:
			add(at, "Order Refunded", id+`,"total":5`)
		}
	}
	for i := range rng.IntN(4) {
		at, within := when()
		id := fmt.Sprintf(`"offer_id":"%d %d"`, n, i)
		add(at, "Offer Sent", fmt.Sprintf(`%s,"until":%d`, id, at+2*dayMillis))
		if within {
			sent++
		}
		if rng.IntN(2) == 0 {
			add(min(at+dayMillis, clock), "Offer Redeemed", id)
			if within {
				accepted++
			}
		}
	}
	return events, sent, accepted
}

// naiveGroup is a group of people, each with what they spent by currency.
type naiveGroup struct {
	document.Group
	spent []map[string]float64
}

// mean and the variance of the mean, of what people spent in a currency.
func (g *naiveGroup) revenue(currency string) (sum, mean, variance float64) {
	var all []float64
	for _, spent := range g.spent {
		all = append(all, spent[currency])
		sum += spent[currency]
	}
	mean, variance = stat.MeanVariance(all, nil)
	return sum, mean, variance / float64(len(all))
}

// TestReportIsThatOfTheExport: a report says what anybody can add up from the exported profiles and their orders; bands are those of an
// export as of the start of the window.
func TestReportIsThatOfTheExport(t *testing.T) {
	w := scoredWorld(t)
	rng := rand.New(rand.NewPCG(1, 2))
	type offers struct{ sent, accepted uint64 }
	known := map[string]offers{} // by public id
	const people = 80
	made := make([]offers, people)
	for n := range people {
		events, sent, accepted := customerOf(rng, n)
		w.feed(events...)
		made[n] = offers{sent, accepted}
	}
	for n := range people {
		var p struct{ ID string }
		w.get(fmt.Sprintf("/v1/profiles/user_id:u%d", n)).into(t, &p)
		known[p.ID] = made[n]
	}

	w.now.Store(reportFrom)
	lines := w.get("/v1/export?scores=true")
	w.now.Store(clock)
	var report document.ScoreReport
	w.get("/v1/scores/report").into(t, &report)

	want := map[string][2]*naiveGroup{"": {{}, {}}}
	for _, line := range bytes.Split(bytes.TrimSpace([]byte(lines.body)), []byte("\n")) {
		var p struct {
			ID      string
			Control bool
			Scores  struct {
				DiscountAffinity struct{ Band string } `json:"discount_affinity"`
			}
		}
		if err := json.Unmarshal(line, &p); err != nil {
			t.Fatal(err)
		}
		band := p.Scores.DiscountAffinity.Band
		if want[band][0] == nil {
			want[band] = [2]*naiveGroup{{}, {}}
		}
		var orders struct {
			Orders []struct {
				Currency, Status, Coupon string
				Revenue                  float64
				PlacedAt                 time.Time `json:"placed_at"`
			}
		}
		w.get("/v1/profiles/"+url.PathEscape(p.ID)+"/orders").into(t, &orders)
		for _, groups := range []([2]*naiveGroup){want[""], want[band]} {
			g := groups[0]
			if p.Control {
				g = groups[1]
			}
			g.People++
			g.OffersSent += known[p.ID].sent
			g.OffersAccepted += known[p.ID].accepted
			spent, bought := map[string]float64{}, false
			for _, o := range orders.Orders {
				if o.Status == "cancelled" || o.PlacedAt.UnixMilli() <= reportFrom {
					continue
				}
				bought = true
				g.Orders++
				if o.Coupon != "" {
					g.CouponOrders++
				}
				spent[o.Currency] += o.Revenue
			}
			if bought {
				g.Buyers++
			}
			g.spent = append(g.spent, spent)
		}
	}

	if report.WindowDays != reportDays || report.From != document.NewTime(reportFrom) || report.AsOf != document.NewTime(clock) || !report.Settled || report.ControlShare != 0.5 {
		t.Errorf("%+v", report)
	}
	compareReport(t, "all", &report.Comparison, want[""])
	if report.Control.People == 0 || report.Rest.People == 0 || report.Bought == nil || len(report.Revenue) != 3 || len(want) < 4 {
		t.Fatalf("the world is too poor: %+v, %d bands", report, len(want)-1)
	}
	for i := range report.Bands {
		b := &report.Bands[i]
		if groups := want[b.Band]; groups[0] != nil {
			compareReport(t, b.Band, &b.Comparison, groups)
		} else if b.Rest.People+b.Control.People > 0 {
			t.Errorf("%s: %+v, want nobody", b.Band, b)
		}
	}
}

func compareReport(t *testing.T, what string, got *document.Comparison, want [2]*naiveGroup) {
	t.Helper()
	for i, g := range [2]document.Group{got.Rest, got.Control} {
		g.BoughtShare, g.CouponShare = nil, nil
		if g != want[i].Group {
			t.Errorf("%s: %+v, want %+v", what, g, want[i].Group)
		}
	}
	about := func(name string, got, want float64) {
		t.Helper()
		if !(math.Abs(got-want) <= 1e-9*max(1, math.Abs(want))) {
			t.Errorf("%s: %s is %v, want %v", what, name, got, want)
		}
	}
	for _, r := range got.Revenue {
		rest, control := want[0], want[1]
		if len(rest.spent) < 2 || len(control.spent) < 2 {
			continue
		}
		restSum, restMean, restVariance := rest.revenue(r.Currency)
		controlSum, controlMean, controlVariance := control.revenue(r.Currency)
		total, _ := r.RestTotal.Float64()
		about(r.Currency+" of the rest", total, restSum)
		total, _ = r.ControlTotal.Float64()
		about(r.Currency+" of the control group", total, controlSum)
		about(r.Currency+" per person of the rest", r.RestPerPerson, restMean)
		about(r.Currency+" per person of the control group", r.ControlPerPerson, controlMean)
		if (r.Incremental == nil) != (restVariance+controlVariance == 0) {
			t.Errorf("%s: incremental %s is %v", what, r.Currency, r.Incremental)
		} else if d := r.Incremental; d != nil {
			about("incremental "+r.Currency, d.Difference, restMean-controlMean)
			about("the middle of its interval", (d.Low+d.High)/2, restMean-controlMean)
			// Student's t is 1.96 at least, and of that many people not far above it.
			if ratio := (d.High - d.Low) / 2 / math.Sqrt(restVariance+controlVariance); what == "all" && !(ratio > 1.96 && ratio < 2.1) {
				t.Errorf("%s: the interval of %s is %v standard errors", what, r.Currency, ratio)
			}
		}
	}
}

func TestReportsAreRefused(t *testing.T) {
	w := newWorld(t, nil)
	w.get("/v1/scores/report").want(t, 404, `"unknown_route"`)
	w = scoredWorld(t)
	for _, query := range []string{"window_days=0", "window_days=3661", "window_days=ten", "days=30"} {
		w.get("/v1/scores/report?"+query).want(t, 400, `"bad_parameter"`)
	}
	// Nobody: no figure, and no error.
	w.get("/v1/scores/report?window_days=3660").want(t, 200, `"bought_share":null`, `"bought_difference":null`, `"revenue":[]`, `"band":"unknown"`)
}
