package collect

import (
	"net/http"
	"slices"

	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/ingest/snowplow"
)

// snowplowRoutes take what trackers of Snowplow send.
func (c *Collector) snowplowRoutes() []route.Route {
	post := c.eventRoute("/com.snowplowanalytics.snowplow/tp2", 0, "Take events of a Snowplow tracker", document.SnowplowPayload{})
	post.Handler = c.timed(c.postSnowplow)
	post.Notes = "The app id of the tracker is the write key. " + post.Notes
	get := route.Route{
		Method: http.MethodGet, Path: "/i", Handler: c.timed(c.getSnowplow), Summary: "Take an event of a Snowplow tracker from a query",
		Notes:           "The answer is sent once the event is durable and a look-up finds it. HEAD takes no event.",
		Parameters:      []route.Parameter{{Name: "e", Text: "what kind of event it is, by the tracker protocol: pv, se, ue and so on"}},
		OtherParameters: true, // they are the event
		Answers:         []route.Answer{{Media: "image/gif", Text: "A transparent image of one pixel"}},
		Problems:        slices.Clone(takeProblems),
	}
	return []route.Route{post, get}
}

func (c *Collector) postSnowplow(w http.ResponseWriter, r *http.Request) *route.Problem {
	a, p := askedBy(r, 0)
	if p != nil {
		return p
	}
	return c.withBody(w, r, func(body []byte) *route.Problem {
		if len(body) == 0 {
			return &route.Problem{Code: document.CodeEmptyBody}
		}
		batch, err := snowplow.Payload(body, keyring.Is)
		if err != nil {
			return route.NewProblem(document.CodeInvalidBody, "%v", err).WithHint("send what a Snowplow tracker sends with POST; events in Segment's format go to /v1/batch")
		}
		return c.take(w, r, batch, a, func(in *request) *route.Problem { return in.answer(w, a.verbose) })
	})
}

func (c *Collector) getSnowplow(w http.ResponseWriter, r *http.Request) *route.Problem {
	if r.Method == http.MethodHead {
		return sendGIF(w)
	}
	batch, err := snowplow.Query(r.URL.Query(), keyring.Is)
	if err != nil {
		return &route.Problem{Code: document.CodeInternal}
	}
	return c.take(w, r, batch, asked{live: true}, func(in *request) *route.Problem {
		if v := in.Verdicts()[0]; v.Status == ingest.Rejected {
			return in.unreadable(nil)
		}
		return sendGIF(w)
	})
}
