package collect

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/kindred-id/kindred/api/access"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// settingsRoutes are what libraries for browsers ask before they send anything. Any write key gets settings: a page whose
// library got none would send nothing, in silence.
func (c *Collector) settingsRoutes() []route.Route {
	return []route.Route{
		{
			Method: http.MethodGet, Path: "/v1/projects/{writeKey}/settings", Aliases: []string{"/projects/{writeKey}/settings"}, Handler: getSettings,
			Summary: "Get the settings of Segment's library for browsers",
			Notes: "They name this server, as the request addresses it, as the host of events: a page only sets cdnURL. " +
				"Behind a proxy that ends TLS, the proxy has to send X-Forwarded-Proto.",
			Parameters:      []route.Parameter{{Name: "X-Forwarded-Proto", Header: true, Enum: []string{"http", "https"}, Text: "how the page reaches the server"}},
			OtherParameters: true, Public: true,
			Answers:  []route.Answer{{Document: document.Settings{}}},
			Problems: []document.Code{document.CodeCrossOrigin},
		},
		{
			Method: http.MethodGet, Path: "/sourceConfig", Handler: getSourceConfig,
			Summary:         "Get the settings of RudderStack's library for browsers",
			Notes:           "They switch every destination of the library off, and its reports about itself.",
			Parameters:      []route.Parameter{writeKeyParameter},
			OtherParameters: true, Public: true,
			Answers:  []route.Answer{{Document: document.SourceConfig{}}},
			Problems: []document.Code{document.CodeCrossOrigin},
		},
	}
}

func getSettings(w http.ResponseWriter, r *http.Request) *route.Problem {
	var s document.Settings
	s.Integrations.Segment = document.SegmentSettings{APIKey: r.PathValue("writeKey"), APIHost: r.Host + "/v1", Protocol: scheme(r)}
	return route.Send(w, &s)
}

// scheme is how the client reached the server, or the proxy before it.
func scheme(r *http.Request) string {
	first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	if r.TLS != nil || strings.EqualFold(strings.TrimSpace(first), "https") {
		return "https"
	}
	return "http"
}

func getSourceConfig(w http.ResponseWriter, r *http.Request) *route.Problem {
	source := cmp.Or(access.ShownKey(r), "http")
	return route.Send(w, &document.SourceConfig{Source: document.RudderSource{
		ID: source, Name: source, WriteKey: source, Enabled: true, WorkspaceID: "kindred",
		Connections: []struct{}{}, Destinations: []struct{}{},
	}})
}
