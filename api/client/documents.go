package client

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/kindred-id/kindred/api"
)

// Profile is the profile of an identity. Numbers of money are as they were written.
type Profile struct {
	ID               string                     `json:"id"`
	Identifiers      []Identifier               `json:"identifiers"`
	Events           uint64                     `json:"events"`
	Counts           map[string]uint64          `json:"counts"`
	FirstSeen        string                     `json:"first_seen"`
	LastSeen         string                     `json:"last_seen"`
	Traits           map[string]json.RawMessage `json:"traits"`
	Orders           uint64                     `json:"orders"`
	Revenue          json.Number                `json:"revenue"`
	Discount         json.Number                `json:"discount"`
	DiscountedOrders uint64                     `json:"discounted_orders"`
	Currency         string                     `json:"currency"`
	ByCurrency       map[string]CurrencySum     `json:"by_currency"`
	Control          bool                       `json:"control"` // in the control group: gets no offers
	Scores           *Scores                    `json:"scores"`  // nil where they were not asked for
}

// Scores are the scores of a profile. Numbers of money are as they were written.
type Scores struct {
	AsOf             string      `json:"as_of"`
	Version          uint64      `json:"version"`
	Currency         string      `json:"currency"`
	CLV              json.Number `json:"clv"`
	ExpectedOrders   float64     `json:"expected_orders"`
	OrderValue       json.Number `json:"order_value"`
	ExpectedValue    json.Number `json:"expected_value"`
	PAlive           float64     `json:"p_alive"`
	ChurnRisk        float64     `json:"churn_risk"`
	PBuy30d          float64     `json:"p_buy_30d"`
	OrderDays        int         `json:"order_days"`
	AverageOrderDay  json.Number `json:"average_order_day"`
	DaysBetween      float64     `json:"days_between_orders"`
	DiscountAffinity struct {
		Score    float64  `json:"score"`
		Band     string   `json:"band"`
		Evidence float64  `json:"evidence"`
		Depth    float64  `json:"depth"`
		Reasons  []string `json:"reasons"`
	} `json:"discount_affinity"`
	OfferProbability float64 `json:"offer_probability"`
	Uplift           struct {
		Ratio float64 `json:"ratio"`
		Own   bool    `json:"own"`
	} `json:"uplift"`
	RFM *struct {
		Recency   int `json:"recency"`
		Frequency int `json:"frequency"`
		Money     int `json:"money"`
	} `json:"rfm"` // nil before the first order
	Interests []struct {
		Category string  `json:"category"`
		Share    float64 `json:"share"`
		Lift     float64 `json:"lift"`
	} `json:"interests"`
	Reasons struct {
		Lifetime string `json:"lifetime"`
	} `json:"reasons"`
}

// CurrencySum sums the orders of one currency.
type CurrencySum struct {
	Orders           uint64      `json:"orders"`
	Revenue          json.Number `json:"revenue"`
	Discount         json.Number `json:"discount"`
	DiscountedOrders uint64      `json:"discounted_orders"`
}

// Identifier is one of a profile.
type Identifier struct {
	Namespace string `json:"namespace"`
	Value     string `json:"value"`
	Raw       string `json:"raw"`
	FirstSeen string `json:"first_seen"`
	LastSeen  string `json:"last_seen"`
	Generic   bool   `json:"generic"`
}

// Order is one of a profile.
type Order struct {
	ID       string      `json:"id"`
	PlacedAt string      `json:"placed_at"`
	Status   string      `json:"status"`
	Currency string      `json:"currency"`
	Revenue  json.Number `json:"revenue"`
	Refunded json.Number `json:"refunded"`
	Discount json.Number `json:"discount"`
	Coupon   string      `json:"coupon"`
}

// Event is one of a timeline.
type Event struct {
	MessageID   string       `json:"message_id"`
	Type        string       `json:"type"`
	Name        string       `json:"name"`
	Timestamp   string       `json:"timestamp"`
	Source      string       `json:"source"`
	Identifiers []Identifier `json:"identifiers"`
}

// How is the evidence that made an identity, in the order in which it was admitted.
type How struct {
	ID    string               `json:"id"`
	Steps []api.ReasonDocument `json:"steps"`
}

// Timeline is a page of events, the newest first. Next is the cursor of the page after it; empty at the end.
type Timeline struct {
	ID     string            `json:"id"`
	Events []json.RawMessage `json:"events"`
	Next   string            `json:"next"`
}

func profilePath(id, part string) string { return "/v1/profiles/" + url.PathEscape(id) + part }

// Profile asks for the profile of an id, as JSON text.
func (c *Client) Profile(ctx context.Context, id string) (text json.RawMessage, err error) {
	err = c.Get(ctx, profilePath(id, ""), nil, &text)
	return text, err
}

// Scored asks for the profile of an id with its scores, as JSON text.
func (c *Client) Scored(ctx context.Context, id string) (text json.RawMessage, err error) {
	err = c.Get(ctx, profilePath(id, ""), url.Values{"scores": {"true"}}, &text)
	return text, err
}

// Parameters asks for the parameters that scores are computed with.
func (c *Client) Parameters(ctx context.Context) (p api.ParametersDocument, err error) {
	err = c.Get(ctx, "/v1/scores/parameters", nil, &p)
	return p, err
}

// Fit lets the server fit its parameters to its live profiles, and waits for it.
func (c *Client) Fit(ctx context.Context) (p api.ParametersDocument, err error) {
	err = c.Post(ctx, "/v1/scores/fit", nil, struct{}{}, &p)
	return p, err
}

// ScoreReport asks how the control group and the rest did in the days before now.
func (c *Client) ScoreReport(ctx context.Context, days int) (r api.ScoreReportDocument, err error) {
	err = c.Get(ctx, "/v1/scores/report", url.Values{"window_days": {strconv.Itoa(days)}}, &r)
	return r, err
}

// Orders asks for the orders of an id, the newest first.
func (c *Client) Orders(ctx context.Context, id string) ([]Order, error) {
	var answer struct {
		Orders []Order `json:"orders"`
	}
	err := c.Get(ctx, profilePath(id, "/orders"), nil, &answer)
	return answer.Orders, err
}

// Why asks whether and why two ids are one person.
func (c *Client) Why(ctx context.Context, a, b string) (w api.WhyDocument, err error) {
	err = c.Get(ctx, profilePath(a, "/why"), url.Values{"with": {b}}, &w)
	return w, err
}

// How asks what made the identity of an id.
func (c *Client) How(ctx context.Context, id string) (h How, err error) {
	err = c.Get(ctx, profilePath(id, "/how"), nil, &h)
	return h, err
}

// Timeline asks for a page of the events of an id; an empty cursor is the first page.
func (c *Client) Timeline(ctx context.Context, id string, limit int, cursor string) (t Timeline, err error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	err = c.Get(ctx, profilePath(id, "/events"), query, &t)
	return t, err
}

// Assert makes or previews an operator's assertion.
func (c *Client) Assert(ctx context.Context, ask *api.AssertionRequest) (a api.AssertionAnswer, err error) {
	err = c.Post(ctx, "/v1/assertions", nil, ask, &a)
	return a, err
}

// Stats asks what the deployment holds and has done.
func (c *Client) Stats(ctx context.Context) (s api.StatsDocument, err error) {
	err = c.Get(ctx, "/v1/stats", nil, &s)
	return s, err
}

// Rules asks for the rules in force, with their text.
func (c *Client) Rules(ctx context.Context) (r api.RulesDocument, err error) {
	err = c.Get(ctx, "/v1/rules", nil, &r)
	return r, err
}

// Backup lets the server write a backup to a directory of its own machine.
func (c *Client) Backup(ctx context.Context, dir string) error {
	return c.Post(ctx, "/v1/admin/backup", nil, map[string]string{"dir": dir}, nil)
}

// Export is the lines of an export. Close it.
type Export struct {
	io.ReadCloser
	Identities int64 // lines to come, the header of CSV left out; -1 when the server does not say
	Settled    bool  // no event was under way when it began
}

// Export asks for all identities: in a format of the API; with empty, those without an event too; with scores, with theirs.
func (c *Client) Export(ctx context.Context, format string, empty, scores bool) (*Export, error) {
	query := url.Values{"format": {format}}
	if scores {
		query.Set("scores", "true")
	}
	if empty {
		query.Set("identifiers", "all")
	}
	res, err := c.send(ctx, http.MethodGet, "/v1/export", query, nil)
	if err != nil {
		return nil, err
	}
	x := &Export{ReadCloser: res.Body, Identities: -1, Settled: res.Header.Get("Kindred-Settled") == "true"}
	if n, err := strconv.ParseInt(res.Header.Get("Kindred-Identities"), 10, 64); err == nil {
		x.Identities = n
	}
	return x, nil
}
