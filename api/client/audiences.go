package client

import (
	"context"
	"net/url"

	"github.com/kindred-id/kindred/api/document"
)

// Audiences are the calls about audiences.
type Audiences struct{ conn *connection }

// List returns what is defined.
func (a Audiences) List(ctx context.Context) (d document.Audiences, err error) {
	err = a.conn.get(ctx, "/v1/audiences", nil, &d)
	return d, err
}

// Apply defines audiences: all that are given, or none.
func (a Audiences) Apply(ctx context.Context, request document.AudiencesRequest) (d document.Audiences, err error) {
	err = a.conn.post(ctx, "/v1/audiences:apply", nil, request, &d)
	return d, err
}

// Of returns the audiences of a person, with reasons if why is set.
func (a Audiences) Of(ctx context.Context, id string, why bool) (d document.PersonAudiences, err error) {
	query := url.Values{}
	if why {
		query.Set("why", "true")
	}
	err = a.conn.get(ctx, profilePath(id, "/audiences"), query, &d)
	return d, err
}

// Members returns a page of the people who are in an audience, from the beginning or where a cursor goes on.
func (a Audiences) Members(ctx context.Context, key string, limit int, cursor string) (page document.AudienceMembers, err error) {
	err = a.conn.get(ctx, "/v1/audiences/"+escape(key)+"/members", paged(url.Values{}, limit, cursor), &page)
	return page, err
}

// Draw draws members of an audience by chance.
func (a Audiences) Draw(ctx context.Context, key string, request document.DrawRequest) (d document.Draw, err error) {
	err = a.conn.post(ctx, "/v1/audiences/"+escape(key)+"/draw", nil, request, &d)
	return d, err
}

// Preview counts the people whom an audience would have that is not defined.
func (a Audiences) Preview(ctx context.Context, request document.AudiencePreviewRequest) (d document.AudiencePreview, err error) {
	err = a.conn.post(ctx, "/v1/audiences:preview", nil, request, &d)
	return d, err
}
