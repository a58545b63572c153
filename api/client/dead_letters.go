package client

import (
	"context"
	"net/url"
	"strconv"

	"github.com/kindred-id/kindred/api/document"
)

const lettersPath = "/v1/deadletters"

// DeadLetters lists events that were refused, the oldest first, from a cursor on; an empty code is every code.
func (a Admin) DeadLetters(ctx context.Context, code, cursor string) (page document.DeadLetters, err error) {
	query := url.Values{}
	if code != "" {
		query.Set("code", code)
	}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	err = a.conn.get(ctx, lettersPath, query, &page)
	return page, err
}

// DeadLetter returns one event that was refused, with its text if the key may read profiles.
func (a Admin) DeadLetter(ctx context.Context, number uint64) (l document.DeadLetter, err error) {
	err = a.conn.get(ctx, letterPath(number), nil, &l)
	return l, err
}

// ResendDeadLetter has an event taken that was refused. If it is taken, it leaves the letters. source names the system of an
// event whose write key was not known; it is empty for others.
func (a Admin) ResendDeadLetter(ctx context.Context, number uint64, source string) (r document.ResentLetter, err error) {
	query := url.Values{}
	if source != "" {
		query.Set("source", source)
	}
	err = a.conn.post(ctx, letterPath(number)+"/resend", query, struct{}{}, &r)
	return r, err
}

// DropDeadLetter deletes an event that was refused.
func (a Admin) DropDeadLetter(ctx context.Context, number uint64) error {
	return a.conn.delete(ctx, letterPath(number))
}

func letterPath(number uint64) string { return lettersPath + "/" + strconv.FormatUint(number, 10) }
