package stream

import (
	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/audience"
)

// standings are what definitions say of the people of an export, all as of one moment and by the definitions of one. Nil where an export
// does not have them.
//
// They lack since when a person is in an audience. A row of each membership says it, and reading one for every member of every audience
// would take longer than all the rest, above all where another node has the rows.
type standings struct {
	appraiser *audiences.Appraiser
	rules     *graph.Rules
	now       int64
}

func newStandings(engine *actors.Engine, shape *document.Shape, now int64) *standings {
	if !shape.Standing() {
		return nil
	}
	return &standings{engine.Audiences().NewAppraiser(), engine.Rules(), now}
}

// of is the standing of a person of a component, until the next call.
func (s *standings) of(c *graph.Component, p *graph.Profile) *audience.Standing {
	if s == nil {
		return nil
	}
	remembered, _ := c.Remembered(p.ID, s.rules)
	return s.appraiser.Of(p, remembered, s.now)
}
