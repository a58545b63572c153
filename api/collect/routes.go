package collect

import (
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
)

// Routes are the routes that take events.
func (c *Collector) Routes() []route.Route {
	routes := []route.Route{c.route("/v1/batch", 0, "Take a batch of events", document.EventBatch{}, []document.IncomingEvent{}, document.IncomingEvent{})}
	for t := graph.TypeIdentify; int(t) < graph.EventTypes; t++ {
		routes = append(routes, c.route("/v1/"+t.String(), t, "Take "+t.String()+" events", document.IncomingEvent{}, []document.IncomingEvent{}, document.EventBatch{}))
	}
	return routes
}

func (c *Collector) route(path string, t graph.EventType, summary string, bodies ...any) route.Route {
	return route.Route{
		Method: "POST", Path: path, Handler: c.postEvents(t), Audience: route.Collect,
		Summary: summary,
		Notes: "The answer is sent once the events are durable and, unless wait=durable, once a look-up by any of their identifiers finds them. " +
			"An event whose messageId was taken before is a duplicate, so a request may be sent again. " +
			"One unreadable event does not keep the others from being taken. The body may be compressed with gzip or zstd.",
		Parameters: []route.Parameter{
			{Name: "results", Enum: []string{"all"}, Text: "all: the answer has an entry for each event"},
			{Name: "live", Type: "boolean", Default: "true", Text: "false: the events come from a file and not as they happen, so their times are believed"},
			{Name: "wait", Enum: []string{"durable", "visible"}, Default: "visible", Text: "when to answer: once events are durable, or once look-ups find them, too"},
			{Name: "writeKey", Text: "names the system that sends, if neither Authorization nor X-Write-Key nor the body does"},
			{Name: "X-Write-Key", Header: true, Text: "names the system that sends"},
			{Name: "Content-Encoding", Header: true, Enum: []string{"gzip", "zstd", "identity"}, Text: "compression of the body; it is recognised without the header as well"},
		},
		OtherParameters: true, // clients of other systems send their own
		Bodies:          bodies, OpenBody: true,
		Answers: []route.Answer{{Document: document.BatchAnswer{}}},
		Problems: []document.Code{
			document.CodeBadParameter, document.CodeEmptyBody, document.CodeBadEncoding, document.CodeUnknownEncoding, document.CodeInvalidBody,
			document.CodeIncompleteBody, document.CodeNoReadableEvent, document.CodeBodyTooLarge, document.CodeBodyTimeout, document.CodeBusy,
			document.CodeShuttingDown, document.CodeEngineFailed, document.CodeShardLost, document.CodeTimeout,
		},
	}
}
