package debug

import (
	"fmt"

	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// Routes are the routes of the debugger.
func (d *Debugger) Routes() []route.Route {
	return []route.Route{{
		Method: "GET", Path: "/v1/debug/events", Scope: keyring.ReadProfiles, Lasting: true, Handler: d.getEvents, Audience: route.Admin,
		Summary: "Watch events live: as they came in, what was read of them, and what they did",
		Notes: fmt.Sprintf("An event named event has a DebugEvent as its data, and one named notice a DebugNotice: up to %d events a second that the "+
			"parameters let through are all shown, above that the first of each second, and a reader that is too slow misses some; a notice says how many. "+
			"Nothing is kept: what came before the request is not shown. A comment every 15 seconds says that the stream is alive.", Rate),
		Parameters: []route.Parameter{
			{Name: "source", Text: "only events of this source"},
			{Name: "type", Enum: []string{"identify", "track", "page", "screen", "group", "alias"}, Text: "only events of this type"},
			{Name: "result", Enum: []string{"accepted", "duplicate", "without_identifier", "rejected", "quarantined"}, Text: "only events with this result"},
			{Name: "identifier", Text: "only events with this identifier, namespace:value; of events that could not be read, those whose text has the value"},
		},
		Answers: []route.Answer{
			{Media: "text/event-stream", Document: document.DebugEvent{}, Text: "Server-sent events, each with an event as its data"},
		},
		Problems: []document.Code{document.CodeBadParameter, document.CodeBadID, document.CodeUnknownNamespace, document.CodeBusy},
	}}
}
