package api

import (
	"github.com/kindred-id/kindred/api/access"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/ingest/record"
)

// Live are the settings of a server that may change while it runs. They are read already, so that taking them over can't fail.
type Live struct {
	Bounds   access.Bounds
	Origins  *route.Origins
	Mappings map[string]*record.Mapping
}

// Apply replaces settings, for requests that come from now on.
func (s *Server) Apply(l Live) {
	s.Access.Bound(l.Bounds)
	s.gates.Origins.Replace(l.Origins)
	s.collector.SetMappings(l.Mappings)
}
