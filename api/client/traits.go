package client

import (
	"context"
	"net/url"

	"github.com/kindred-id/kindred/api/document"
)

// Traits are the calls about computed traits. Those of a person come with the profile.
type Traits struct{ conn *connection }

// List returns what is defined.
func (t Traits) List(ctx context.Context) (d document.ComputedTraits, err error) {
	err = t.conn.get(ctx, "/v1/traits", nil, &d)
	return d, err
}

// Apply defines computed traits: all that are given, or none.
func (t Traits) Apply(ctx context.Context, request document.ComputedTraitsRequest) (d document.ComputedTraits, err error) {
	err = t.conn.post(ctx, "/v1/traits:apply", nil, request, &d)
	return d, err
}

// Of returns the computed traits of a person that have a value.
func (t Traits) Of(ctx context.Context, id string) (document.Traits, error) {
	var p document.PartialProfile
	err := t.conn.get(ctx, profilePath(id, ""), url.Values{"fields": {string(PartComputed)}}, &p)
	return p.Computed, err
}
