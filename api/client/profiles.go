package client

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/kindred-id/kindred/api/document"
)

// Profiles are the calls about people: one of them, by any of their identifiers or by public id, or all.
type Profiles struct{ conn *connection }

func profilePath(id, part string) string { return "/v1/profiles/" + escape(id) + part }

// Get returns the profile of an id, as JSON text.
func (p Profiles) Get(ctx context.Context, id string) (text json.RawMessage, err error) {
	err = p.conn.get(ctx, profilePath(id, ""), nil, &text)
	return text, err
}

// Part is what a profile has only where it is asked for.
type Part string

// The parts of a profile.
const (
	PartScores    Part = "scores"
	PartAudiences Part = "audiences" // those that the person is in
	PartComputed  Part = "computed"  // computed traits
)

// With returns the profile of an id with these parts, as JSON text.
func (p Profiles) With(ctx context.Context, id string, parts ...Part) (text json.RawMessage, err error) {
	query := url.Values{}
	for _, part := range parts {
		query.Set(string(part), "true")
	}
	err = p.conn.get(ctx, profilePath(id, ""), query, &text)
	return text, err
}

// Orders returns all orders of an id, newest first. It asks for page after page.
func (p Profiles) Orders(ctx context.Context, id string) (orders []document.Order, err error) {
	query := url.Values{}
	for {
		var page document.Orders
		if err := p.conn.get(ctx, profilePath(id, "/orders"), query, &page); err != nil {
			return nil, err
		}
		if orders = append(orders, page.Orders...); page.Next == "" {
			return orders, nil
		}
		query.Set("cursor", string(page.Next))
	}
}

// OrderDetails returns a page of the orders of an id, newest first, with their lines, tax and shipping as they were sent.
// An empty cursor means the first page.
func (p Profiles) OrderDetails(ctx context.Context, id, cursor string) (page document.Orders, err error) {
	query := url.Values{"details": {"true"}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	err = p.conn.get(ctx, profilePath(id, "/orders"), query, &page)
	return page, err
}

// Traits returns a page of the traits of an id, by name, each with the event that set it. An empty cursor means the first
// page.
func (p Profiles) Traits(ctx context.Context, id, cursor string) (page document.VerboseTraits, err error) {
	query := url.Values{"verbose": {"true"}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	err = p.conn.get(ctx, profilePath(id, "/traits"), query, &page)
	return page, err
}

// Why explains whether two ids are one person.
func (p Profiles) Why(ctx context.Context, a, b string) (w document.Why, err error) {
	err = p.conn.get(ctx, profilePath(a, "/why"), url.Values{"with": {b}}, &w)
	return w, err
}

// How returns the evidence that formed the identity of an id.
func (p Profiles) How(ctx context.Context, id string) (h document.How, err error) {
	err = p.conn.get(ctx, profilePath(id, "/how"), nil, &h)
	return h, err
}

// TimelineOptions say which events of a person are listed. The zero value is the newest of all.
type TimelineOptions struct {
	Limit        int      // of a page; 0 is the server's default
	Cursor       string   // of the page; empty means the first
	Types, Names []string // only these; none means all
	Since, Until string   // as RFC 3339: from Since on, and before Until; empty means without a bound
}

// Timeline returns a page of the events of an id, newest first.
func (p Profiles) Timeline(ctx context.Context, id string, o TimelineOptions) (t document.Timeline, err error) {
	query := url.Values{"type": o.Types, "name": o.Names}
	if o.Limit > 0 {
		query.Set("limit", strconv.Itoa(o.Limit))
	}
	for name, value := range map[string]string{"cursor": o.Cursor, "since": o.Since, "until": o.Until} {
		if value != "" {
			query.Set(name, value)
		}
	}
	err = p.conn.get(ctx, profilePath(id, "/events"), query, &t)
	return t, err
}

// SearchOptions say which people a search finds: those who meet all conditions. The zero value finds everybody.
type SearchOptions struct {
	Text                 string   // begins an identifier, or a word of one of the usual traits
	Identifiers, Traits  []string // NAME:PREFIX, such as email:ann, city:Ghe
	SeenSince, SeenUntil string   // as RFC 3339: the last event from SeenSince on, and before SeenUntil
	Empty                bool     // people without an event, too
	Fields               string   // members of the profiles, separated by commas; empty: all
	Limit                int      // of a page; 0 is the server's default
	Cursor               string   // of the page; empty means the first
}

// Search returns a page of the people that are found. A page may be short, or empty, and not the last: only an empty Next
// says so.
func (p Profiles) Search(ctx context.Context, o SearchOptions) (page document.People, err error) {
	query := url.Values{"identifier": o.Identifiers, "trait": o.Traits}
	for name, value := range map[string]string{
		"q": o.Text, "seen_since": o.SeenSince, "seen_until": o.SeenUntil, "fields": o.Fields, "cursor": o.Cursor,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if o.Empty {
		query.Set("identifiers", "all")
	}
	if o.Limit > 0 {
		query.Set("limit", strconv.Itoa(o.Limit))
	}
	err = p.conn.get(ctx, "/v1/profiles", query, &page)
	return page, err
}

// Export is the lines of an export. Close it.
type Export struct {
	io.ReadCloser
	Identities int64  // number of lines, without the header of CSV; -1 if the server does not say
	Settled    bool   // no event was in progress when the export began
	Next       string // cursor of the next page; empty at the end, and without a cursor
}

// ExportOptions say what an export has. The zero value is every identity with an event, as NDJSON.
type ExportOptions struct {
	Format    document.Format
	Empty     bool   // identities without an event, too
	Scores    bool   // the scores of each
	Audiences bool   // the audiences that each is in
	Computed  bool   // the computed traits of each
	Detail    bool   // the members that the change feed does not tell
	Fields    string // members, separated by commas; empty: all

	SeenSince string // as RFC 3339: only people whose last event is of this time or later; empty: all
	Cursor    string // a page, not sorted: "start", or Next of the page before; empty: everybody, sorted by id
}

func (o *ExportOptions) query() url.Values {
	query := url.Values{}
	if o.Format != "" {
		query.Set("format", string(o.Format))
	}
	if o.Empty {
		query.Set("identifiers", "all")
	}
	if o.Scores {
		query.Set("scores", "true")
	}
	if o.Audiences {
		query.Set("audiences", "true")
	}
	if o.Computed {
		query.Set("computed", "true")
	}
	if o.Detail {
		query.Set("detail", "true")
	}
	for name, value := range map[string]string{"fields": o.Fields, "seen_since": o.SeenSince, "cursor": o.Cursor} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query
}

// Export returns all identities.
func (p Profiles) Export(ctx context.Context, o ExportOptions) (*Export, error) {
	query := o.query()
	res, err := p.conn.send(ctx, http.MethodGet, "/v1/export", query, nil)
	if err != nil {
		return nil, err
	}
	x := &Export{ReadCloser: res.Body, Identities: -1, Settled: res.Header.Get("Kindred-Settled") == "true", Next: res.Header.Get("Kindred-Next")}
	if n, err := strconv.ParseInt(res.Header.Get("Kindred-Identities"), 10, 64); err == nil {
		x.Identities = n
	}
	return x, nil
}
