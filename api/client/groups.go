package client

import (
	"context"
	"net/url"
	"strconv"

	"github.com/kindred-id/kindred/api/document"
)

// Groups are the calls about groups, such as companies: one of them, by its groupId, or all. The type is the groupType of
// its events, and empty where they have none.
type Groups struct{ conn *connection }

func groupPath(id, part string) string { return "/v1/groups/" + escape(id) + part }

func groupQuery(typ string) url.Values {
	query := url.Values{}
	if typ != "" {
		query.Set("type", typ)
	}
	return query
}

// Get returns a group with its traits.
func (g Groups) Get(ctx context.Context, id, typ string) (group document.GroupProfile, err error) {
	err = g.conn.get(ctx, groupPath(id, ""), groupQuery(typ), &group)
	return group, err
}

// Verbose returns a group with the event that set each of its traits.
func (g Groups) Verbose(ctx context.Context, id, typ string) (group document.VerboseGroupProfile, err error) {
	query := groupQuery(typ)
	query.Set("verbose", "true")
	err = g.conn.get(ctx, groupPath(id, ""), query, &group)
	return group, err
}

// Members returns a page of the people of a group. A limit of 0 is the server's default, and an empty cursor the first page.
// A page may be short, or empty, and not the last: only an empty Next says so.
func (g Groups) Members(ctx context.Context, id, typ string, limit int, cursor string) (page document.GroupMembers, err error) {
	err = g.conn.get(ctx, groupPath(id, "/members"), paged(groupQuery(typ), limit, cursor), &page)
	return page, err
}

// List returns a page of all groups, likewise.
func (g Groups) List(ctx context.Context, limit int, cursor string) (page document.Groups, err error) {
	err = g.conn.get(ctx, "/v1/groups", paged(url.Values{}, limit, cursor), &page)
	return page, err
}

func paged(query url.Values, limit int, cursor string) url.Values {
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	return query
}
