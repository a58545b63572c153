package collect

import (
	"net/http"
	"slices"

	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
)

// Routes are the routes that take events, and those that libraries ask before they send any. Pages of other origins may call
// all of them.
func (c *Collector) Routes() []route.Route {
	routes := slices.Concat(c.eventRoutes(), c.snowplowRoutes(), []route.Route{c.mappedRoute()}, c.pixelRoutes(), c.settingsRoutes(), []route.Route{{
		Method: http.MethodPost, Path: "/v1/m", Handler: discard, Summary: "Discard what a library measured of itself",
		Notes:           "Libraries for browsers send it to the host of their events. Nothing of it is read.",
		OtherParameters: true, Public: true,
		Answers: []route.Answer{{Document: document.Discarded{}}},
	}})
	for i := range routes {
		rt := &routes[i]
		rt.Audience, rt.CrossOrigin = route.Collect, true
		if !rt.Public {
			rt.Scope = keyring.WriteEvents
		}
	}
	return routes
}

// aliases are where libraries send events of one type: with the first letter of the type, and as Jitsu does.
func aliases(t graph.EventType) []string {
	name := t.String()
	return []string{"/v1/" + name[:1], "/api/s/" + name, "/api/s/s2s/" + name}
}

func (c *Collector) eventRoutes() []route.Route {
	batch := c.eventRoute("/v1/batch", 0, "Take a batch of events", document.EventBatch{}, []document.IncomingEvent{}, document.IncomingEvent{})
	batch.Aliases = []string{"/v1/b", "/v1/import", "/batch", "/b", "/api/s/s2s/batch", "/beacon/v1/batch"}
	routes := []route.Route{batch}
	for t := graph.TypeIdentify; int(t) < graph.EventTypes; t++ {
		rt := c.eventRoute("/v1/"+t.String(), t, "Take "+t.String()+" events", document.IncomingEvent{}, []document.IncomingEvent{}, document.EventBatch{})
		rt.Aliases = aliases(t)
		routes = append(routes, rt)
	}
	return routes
}

// takeProblems are what may go wrong once events were read.
var takeProblems = []document.Code{
	document.CodeBadParameter, document.CodeInvalidBody, document.CodeNoReadableEvent, document.CodeTooManyEvents, document.CodeBusy,
	document.CodeCrossOrigin, document.CodeShuttingDown, document.CodeEngineFailed, document.CodeShardLost, document.CodeTimeout,
}

func (c *Collector) eventRoute(path string, t graph.EventType, summary string, bodies ...any) route.Route {
	return route.Route{
		Method: http.MethodPost, Path: path, Handler: c.timed(c.post(t)),
		Summary: summary,
		Notes: "The answer is sent once the events are durable and, unless wait=durable, once a look-up by any of their identifiers finds them. " +
			"An event whose messageId was taken before is a duplicate, so a request may be sent again. " +
			"One unreadable event does not keep the others from being taken. The body may be compressed with gzip or zstd.",
		Parameters: []route.Parameter{
			{Name: "results", Enum: []string{"all"}, Text: "all: the answer has an entry for each event"},
			{Name: "live", Type: "boolean", Default: "true", Text: "false: the events come from a file and not as they happen, so their times are believed"},
			{Name: "wait", Enum: []string{"durable", "visible"}, Default: "visible", Text: "when to answer: once events are durable, or once look-ups find them, too"},
			writeKeyParameter,
			{Name: "X-Write-Key", Header: true, Text: "the write key; on a server without keys, the name of the system that sends"},
			{Name: "Content-Encoding", Header: true, Enum: []string{"gzip", "zstd", "identity"}, Text: "compression of the body; it is recognised without the header as well"},
		},
		OtherParameters: true, // clients of other systems send their own
		Bodies:          bodies, OpenBody: true,
		Answers: []route.Answer{{Document: document.BatchAnswer{}}},
		Problems: slices.Concat(takeProblems, []document.Code{
			document.CodeEmptyBody, document.CodeBadEncoding, document.CodeUnknownEncoding, document.CodeIncompleteBody,
			document.CodeBodyTooLarge, document.CodeBodyTimeout,
		}),
	}
}

var writeKeyParameter = route.Parameter{Name: "writeKey", Text: "the write key, if neither Authorization nor X-Write-Key nor the body has one; on a server without keys, the name of the system that sends"}

// discard answers POST /v1/m. It does not read the body: net/http reads a little of what follows, or closes the connection.
func discard(w http.ResponseWriter, _ *http.Request) *route.Problem {
	return route.SendJSON(w, []byte("{\"success\":true}\n"))
}
