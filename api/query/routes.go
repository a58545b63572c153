package query

import (
	"net/http"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// Routes are the routes that answer about people.
func (q *Queries) Routes() []route.Route {
	return []route.Route{
		person("", q.getProfile, "Get the profile of a person", route.Route{
			Notes: "Without scores the answer has an entity tag. Scores age by the moment, so an answer with scores has none.",
			Parameters: []route.Parameter{
				{Name: "scores", Type: "boolean", Default: "false", Text: "true: with the scores, as of now"},
				{Name: "If-None-Match", Header: true, Text: "entity tags: the answer is 304 if the profile still has one of them"},
			},
			Answers: []route.Answer{
				{Document: document.Profile{}, Headers: []route.Header{{Name: "ETag", Text: "entity tag of the profile"}}},
				{Status: http.StatusNotModified, Text: "The profile still has one of the tags of If-None-Match"},
			},
		}),
		person("/identifiers", q.getIdentifiers, "List the identifiers of a person", route.Route{Answers: answer(document.Identifiers{})}),
		person("/events", q.getEvents, "List the events of a person, the newest first", route.Route{
			Parameters: []route.Parameter{
				{Name: "limit", Type: "integer", Min: 1, Max: maxPage, Default: "50", Text: "events in a page; a page also ends at about 8 MiB"},
				{Name: "cursor", Text: "next of the page before"},
			},
			Answers: answer(document.Timeline{}),
		}),
		person("/orders", q.getOrders, "List the orders of a person, the newest first", route.Route{Answers: answer(document.Orders{})}),
		person("/why", q.getWhy, "Explain why two identifiers are one person, or why they are not", route.Route{
			Parameters: []route.Parameter{{Name: "with", Required: true, Text: "the other id"}},
			Answers:    answer(document.Why{}),
		}),
		person("/how", q.getHow, "List the evidence that made a person", route.Route{Answers: answer(document.How{})}),
		person("/assertions", q.getAssertions, "List the assertions about a person", route.Route{Answers: answer(document.Assertions{})}),
		{
			Method: "POST", Path: "/v1/profiles:batchGet", Handler: q.batchGet, Audience: route.Query,
			Summary: "Get the profiles of several people", Notes: "Results are in the order of the ids. The status of the answer is 200 even if none is found.",
			OtherParameters: true, SameOrigin: true, Timely: true,
			Bodies: []any{document.BatchGetRequest{}}, Answers: answer(document.BatchGetAnswer{}),
			Problems: []document.Code{document.CodeCrossOrigin, document.CodeInvalidBody, document.CodeBodyTooLarge, document.CodeTooManyIDs},
		},
		{
			Method: "GET", Path: "/v1/rules", Handler: q.getRules, Audience: route.Query,
			Summary: "Get the rules in force", Notes: "The route exists only where the server was given rules.",
			Answers: answer(document.Rules{}), Problems: []document.Code{document.CodeUnknownRoute, document.CodeBadParameter},
		},
		{
			Method: "GET", Path: "/v1/scores/parameters", Handler: q.getParameters, Audience: route.Query,
			Summary: "Get the parameters that scores are computed with", Notes: "The route exists only where the server computes scores.",
			Answers: answer(document.Parameters{}), Problems: []document.Code{document.CodeUnknownRoute, document.CodeBadParameter},
		},
	}
}

// person is a route about one person. All of them are looked up alike, so they share their problems; rt adds what is
// the route's own.
func person(part string, h route.Handler, summary string, rt route.Route) route.Route {
	rt.Method, rt.Path, rt.Handler, rt.Summary = "GET", "/v1/profiles/{id}"+part, h, summary
	rt.Audience, rt.Timely = route.Query, true
	rt.Problems = []document.Code{
		document.CodeBadParameter, document.CodeBadID, document.CodeUnknownNamespace, document.CodeNotFound, document.CodeInTransit, document.CodeBusy,
		document.CodeShuttingDown, document.CodeEngineFailed, document.CodeShardLost, document.CodeTimeout,
	}
	return rt
}

// answer is the list of answers of a route that has one success, with this document.
func answer(d any) []route.Answer { return []route.Answer{{Document: d}} }
