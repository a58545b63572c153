package api

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/actors/scoring"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
)

// shop is a shop that knows its visitors by what a server tells over HTTP, and by nothing else.
type shop struct {
	t      *testing.T
	url    string
	client *http.Client
	sent   int
}

// openShop serves an engine of 64 shards, so that nearly every merge is one between two shards.
func openShop(t *testing.T) *shop {
	t.Helper()
	w := newWorldUnder(t, 64, graph.DefaultRules(), nil)
	keeper, err := scoring.Open(w.engine, score.Terms{})
	if err != nil {
		t.Fatal(err)
	}
	w.reconfigure(func(c *Config) { c.Scores = keeper })
	network := httptest.NewServer(w.server)
	t.Cleanup(network.Close)
	return &shop{t: t, url: network.URL, client: network.Client()}
}

func (s *shop) ask(method, path, body string) answer {
	s.t.Helper()
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

func (s *shop) profile(id, part string) answer {
	s.t.Helper()
	return s.ask("GET", "/v1/profiles/"+url.PathEscape(id)+part, "")
}

// happens sends events and waits for their 200, and for nothing else.
func (s *shop) happens(events ...string) {
	s.t.Helper()
	s.ask("POST", "/v1/batch", `{"batch":[`+strings.Join(events, ",")+`]}`).want(s.t, 200, fmt.Sprintf(`"accepted":%d,`, len(events)))
}

// event is a track event of the person with an id, such as anonymousId:c1.
func (s *shop) event(who, at, name, properties string) string {
	s.sent++
	member, value, _ := strings.Cut(who, ":")
	return fmt.Sprintf(`{"type":"track","messageId":"%d","%s":"%s","timestamp":"%s","event":"%s","properties":{%s}}`, s.sent, member, value, at, name, properties)
}

// offers is the past of somebody who was made offers that are over, and accepted the first of them.
func (s *shop) offers(who string, made, accepted int) (events []string) {
	for i := range made {
		id := fmt.Sprintf(`"offer_id":"%s %d"`, who, i)
		events = append(events, s.event(who, "2025-12-01T08:00:00Z", "Offer Sent", id+`,"until":"2025-12-10T00:00:00Z"`))
		if i < accepted {
			events = append(events, s.event(who, "2025-12-03T08:00:00Z", "Offer Redeemed", id))
		}
	}
	return events
}

func (s *shop) cart(cookie string) string {
	return s.event("anonymousId:"+cookie, "2026-01-01T20:00:00Z", "Product Added", `"product_id":"p1","category":"wine"`)
}

// login says that a cookie is a customer's, whose number is never the cookie.
func (s *shop) login(cookie, user string) string {
	s.sent++
	return fmt.Sprintf(`{"type":"identify","messageId":"%d","anonymousId":"%s","userId":"no. %s","timestamp":"2026-01-01T20:01:00Z"}`, s.sent, cookie, user)
}

// band is the discount affinity of the person with a cookie, as the profile shows it.
func (s *shop) band(cookie string) string {
	s.t.Helper()
	var p struct {
		Scores struct {
			DiscountAffinity struct{ Band string } `json:"discount_affinity"`
		}
	}
	s.profile("anonymous_id:"+cookie, "?scores=true").into(s.t, &p)
	return p.Scores.DiscountAffinity.Band
}

// leftCart reports whether the person with a cookie put something into the cart and has ordered nothing since.
func (s *shop) leftCart(cookie string) bool {
	s.t.Helper()
	var timeline struct {
		Events []struct{ Name, Timestamp string }
	}
	s.profile("anonymous_id:"+cookie, "/events?limit=1000").into(s.t, &timeline)
	var orders struct {
		Orders []struct {
			PlacedAt string `json:"placed_at"`
		}
	}
	s.profile("anonymous_id:"+cookie, "/orders").into(s.t, &orders)
	carted, ordered := "", ""
	for _, e := range timeline.Events {
		if e.Name == "Product Added" || e.Name == "Checkout Started" {
			carted = max(carted, e.Timestamp)
		}
	}
	for _, o := range orders.Orders {
		ordered = max(ordered, o.PlacedAt)
	}
	return carted > ordered
}

// audiences are who gets the reminder and the advert, and who of them gets the coupon.
func (s *shop) audiences(cookies []string) (leavers, coupons []string) {
	s.t.Helper()
	for _, cookie := range cookies {
		if s.leftCart(cookie) {
			leavers = append(leavers, cookie)
			if s.band(cookie) == "high" {
				coupons = append(coupons, cookie)
			}
		}
	}
	return leavers, coupons
}

// TestCartStory: everybody who leaves a cart gets the reminder and sees the advert, and the coupon of 10 % goes only to those of
// them who answer to discounts. A buyer is out of both when the order is answered with 200. Two halves of a person that say
// little apart say enough together, for as long as they are together. Parameters are those of the cold start.
func TestCartStory(t *testing.T) {
	s := openShop(t)
	cookies := []string{"ann", "bob", "cid", "dot", "eve's tablet", "fay", "gus", "hal"}
	want := func(when string, leavers, coupons []string) {
		t.Helper()
		gotLeavers, gotCoupons := s.audiences(cookies)
		if !slices.Equal(gotLeavers, leavers) || !slices.Equal(gotCoupons, coupons) {
			t.Fatalf("%s: the reminder goes to %q and the coupon to %q; want %q and %q", when, gotLeavers, gotCoupons, leavers, coupons)
		}
	}
	bands := func(when string, want map[string]string) {
		t.Helper()
		for cookie, band := range want {
			if got := s.band(cookie); got != band {
				t.Fatalf("%s: %s is %s, want %s", when, cookie, got, band)
			}
		}
	}

	for _, past := range []struct {
		user           string
		made, accepted int
	}{{"ann", 2, 2}, {"bob", 1, 1}, {"dot", 2, 0}, {"eve", 1, 1}, {"fay", 2, 2}, {"gus", 2, 2}, {"hal", 2, 2}} {
		s.happens(s.offers("userId:no. "+past.user, past.made, past.accepted)...)
		if past.user != "eve" {
			s.happens(s.login(past.user, past.user))
		}
	}
	s.happens(s.login("eve's phone", "eve"))
	s.happens(s.offers("anonymousId:eve's tablet", 1, 1)...)
	s.happens(s.cart("ann"), s.cart("bob"), s.cart("dot"), s.cart("eve's tablet"), s.cart("fay"), s.cart("hal"),
		s.event("anonymousId:cid", "2026-01-01T20:00:00Z", "Checkout Started", ""),
		s.event("anonymousId:gus", "2026-01-01T20:00:00Z", "Product Viewed", `"product_id":"p1"`),
		s.event("userId:no. fay", "2026-01-01T21:00:00Z", "Order Completed", `"order_id":"fay 1","revenue":50,"currency":"EUR"`))
	// Fay accepted two offers as well, and then paid the full price.
	bands("carts were left", map[string]string{
		"ann": "high", "bob": "medium", "cid": "unknown", "dot": "low", "eve's tablet": "medium", "eve's phone": "medium", "fay": "medium", "gus": "high", "hal": "high",
	})
	want("carts were left", []string{"ann", "bob", "cid", "dot", "eve's tablet", "hal"}, []string{"ann", "hal"})

	s.happens(s.login("eve's tablet", "eve"))
	bands("Eve logged in on her tablet", map[string]string{"eve's tablet": "high", "eve's phone": "high", "bob": "medium"})
	want("Eve logged in on her tablet", []string{"ann", "bob", "cid", "dot", "eve's tablet", "hal"}, []string{"ann", "eve's tablet", "hal"})

	// The coupon is sent. While it is open it is no answer, so nobody changes bands.
	for _, cookie := range []string{"ann", "eve's tablet", "hal"} {
		s.happens(s.event("anonymousId:"+cookie, "2026-01-01T22:00:00Z", "Offer Sent",
			`"offer_id":"TEN `+cookie+`","offer_class":"cart","until":"2026-02-01T00:00:00Z"`))
	}
	want("the coupon was sent", []string{"ann", "bob", "cid", "dot", "eve's tablet", "hal"}, []string{"ann", "eve's tablet", "hal"})

	// Hal takes it on another device, as a customer; Bob orders as a stranger, and the same batch says who he is.
	s.happens(s.event("userId:no. hal", "2026-01-01T23:00:00Z", "Order Completed", `"order_id":"hal 1","revenue":45,"discount":5,"coupon":"TEN hal","currency":"EUR"`))
	want("Hal has bought", []string{"ann", "bob", "cid", "dot", "eve's tablet"}, []string{"ann", "eve's tablet"})
	s.profile("anonymous_id:hal", "?scores=true").want(t, 200, "accepted 3 of 3 offers", "used a coupon in 1 of 1 orders")
	s.happens(s.event("anonymousId:bob's phone", "2026-01-01T23:00:00Z", "Order Completed", `"order_id":"bob 1","revenue":30,"currency":"EUR"`),
		s.login("bob's phone", "bob"))
	want("Bob has bought", []string{"ann", "cid", "dot", "eve's tablet"}, []string{"ann", "eve's tablet"})

	// An operator finds that the tablet is somebody else's: the coupon is not for its owner. Taken back, it is Eve's again.
	apart := `{"verb":"retract","a":"user_id:no. eve","b":"anonymous_id:eve's tablet"%s}`
	s.ask("POST", "/v1/assertions", fmt.Sprintf(apart, "")).want(t, 200)
	bands("the tablet is another's", map[string]string{"eve's tablet": "medium", "eve's phone": "medium", "ann": "high"})
	want("the tablet is another's", []string{"ann", "cid", "dot", "eve's tablet"}, []string{"ann"})
	s.ask("POST", "/v1/assertions", fmt.Sprintf(apart, `,"withdraw":true`)).want(t, 200)
	bands("the tablet is Eve's", map[string]string{"eve's tablet": "high", "eve's phone": "high"})
	want("the tablet is Eve's", []string{"ann", "cid", "dot", "eve's tablet"}, []string{"ann", "eve's tablet"})
}

// TestBuyersLeaveTheAdvert: the order of a stranger, with what makes them the owner of a cart two steps away, takes that owner out of
// the advert by the time that it is answered with 200. Many buy at once.
func TestBuyersLeaveTheAdvert(t *testing.T) {
	const clients, buyers = 8, 150
	opened := openShop(t)
	for client := range clients {
		t.Run(fmt.Sprint("client ", client), func(t *testing.T) {
			t.Parallel()
			s := &shop{t: t, url: opened.url, client: opened.client, sent: client * 1000}
			for i := range buyers {
				name := fmt.Sprint(client, " ", i)
				cart, user, phone := "cart "+name, "user "+name, "phone "+name
				s.happens(s.cart(cart))
				if !s.leftCart(cart) {
					t.Fatalf("cart %s was not left", name)
				}
				s.happens(s.event("anonymousId:"+phone, "2026-01-01T23:00:00Z", "Order Completed", `"order_id":"`+name+`","revenue":30,"currency":"EUR"`),
					s.login(phone, user), s.login(cart, user))
				if s.leftCart(cart) {
					t.Fatalf("buyer %s is shown the advert", name)
				}
			}
		})
	}
}
