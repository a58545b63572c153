package query

import (
	"net/http"
	"slices"

	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// Routes are the routes that answer about people.
func (q *Queries) Routes() []route.Route {
	return slices.Concat(q.segmentRoutes(), q.groupRoutes(), []route.Route{
		person("", q.getProfile, "Get the profile of a person", route.Route{
			Notes: "Scores age by the moment. With them the entity tag is weak, and stays for an hour at most while the person has no new event. " +
				"With fields the answer is a PartialProfile.",
			Parameters: []route.Parameter{route.Scores, route.Audiences, route.Computed, route.Fields},
			Answers:    tagged(document.AnyProfile{}),
		}),
		person("/identifiers", q.getIdentifiers, "List the identifiers of a person, the highest-ranked first", route.Route{
			Parameters: []route.Parameter{route.Limit(maxIdentifiers, maxIdentifiers, "identifiers in a page"), route.Cursor},
			Answers:    tagged(document.Identifiers{}),
		}),
		person("/events", q.getEvents, "List the events of a person, the newest first", route.Route{
			Parameters: []route.Parameter{
				{Name: "type", Text: "only events of this type; several with commas between"},
				{Name: "name", Text: "only events of this name; give it again for another name"},
				{Name: "since", Text: "only events of this time or later, such as 2026-01-31T09:30:00Z"},
				{Name: "until", Text: "only events before this time"},
				route.Limit(defaultPage, maxPage, "events in a page; a page also ends at about 8 MiB"), route.Cursor,
			},
			Answers: tagged(document.Timeline{}),
		}),
		person("/orders", q.getOrders, "List the orders of a person, the newest first", route.Route{
			Parameters: []route.Parameter{
				{Name: "details", Type: "boolean", Default: "false", Text: "true: with lines, tax and shipping, as they were sent; a page then has at most 100 orders"},
				route.Limit(maxOrders, maxOrders, "orders in a page"), route.Cursor,
			},
			Answers: tagged(document.Orders{}),
		}),
		person("/groups", q.getGroups, "List the groups of a person, by id", route.Route{
			Notes:      "They are those that the person's group events name. Events of before groups were kept name them where the rules keep groupId in the context.",
			Parameters: []route.Parameter{route.Limit(defaultPage, maxPage, "groups in a page"), route.Cursor},
			Answers:    tagged(document.Memberships{}),
		}),
		person("/traits", q.getTraits, "List the traits of a person, by name", route.Route{
			Parameters: []route.Parameter{
				{Name: "verbose", Type: "boolean", Default: "false", Text: "true: each with its value, its source and the time and id of the event that set it"},
				route.Limit(defaultTraits, maxTraits, "traits in a page"), route.Cursor,
			},
			Answers: tagged(document.AnyTraits{}),
		}),
		person("/why", q.getWhy, "Explain why two identifiers are one person, or why they are not", route.Route{
			Parameters: []route.Parameter{{Name: "with", Required: true, Example: "anonymous_id:tablet", Text: "the other id"}},
			Answers:    answer(document.Why{}),
		}),
		person("/audiences", q.getPersonAudiences, "List the audiences with whether a person is in them", route.Route{
			Notes:      "They are evaluated as of now, and until says when an answer may change without an event.",
			Parameters: []route.Parameter{{Name: "why", Type: "boolean", Default: "false", Text: "true: with each condition and what it compared"}},
			Answers:    answer(document.PersonAudiences{}),
		}),
		person("/how", q.getHow, "List the evidence that made a person", route.Route{Answers: answer(document.How{})}),
		person("/assertions", q.getAssertions, "List the assertions about a person", route.Route{Answers: answer(document.Assertions{})}),
		{
			Method: "GET", Path: "/v1/profiles", Handler: q.search, Audience: route.Query, Scope: keyring.ReadProfiles, Timely: true,
			Summary: "List or search people, in pages",
			Notes: "People come in an order that means nothing. A page is bounded in time and in the people that are read for it, so it may be empty and not " +
				"the last: go on until next is null. Searching reads every person; to find one by an identifier, get its profile.",
			Parameters: searchParameters,
			Answers:    answer(document.People{}),
			Problems: []document.Code{
				document.CodeBadParameter, document.CodeBusy, document.CodeShuttingDown, document.CodeEngineFailed, document.CodeShardLost, document.CodeTimeout,
			},
		},
		{
			Method: "POST", Path: "/v1/profiles:batchGet", Handler: q.batchGet, Audience: route.Query, Scope: keyring.ReadProfiles,
			Summary: "Get the profiles of several people", Notes: "Results are in the order of the ids. The status of the answer is 200 even if none is found.",
			OtherParameters: true, SameOrigin: true, Timely: true,
			Bodies: []any{document.BatchGetRequest{}}, Answers: answer(document.BatchGetAnswer{}),
			Problems: []document.Code{document.CodeCrossOrigin, document.CodeInvalidBody, document.CodeBodyTooLarge, document.CodeBusy, document.CodeTooManyIDs},
		},
		{
			Method: "GET", Path: "/v1/audiences", Handler: q.getAudiences, Audience: route.Query, Scope: keyring.ReadProfiles,
			Summary: "List the audiences that are defined", Answers: answer(document.Audiences{}), Problems: []document.Code{document.CodeBadParameter},
		},
		{
			Method: "GET", Path: "/v1/traits", Handler: q.getComputedTraits, Audience: route.Query, Scope: keyring.ReadProfiles,
			Summary: "List the computed traits that are defined", Answers: answer(document.ComputedTraits{}), Problems: []document.Code{document.CodeBadParameter},
		},
		{
			Method: "GET", Path: "/v1/audiences/{key}/members", Handler: q.getAudienceMembers, Audience: route.Query, Scope: keyring.ReadProfiles, Timely: true,
			Summary:    "List the people who are in an audience, in pages",
			Notes:      "People come in an order that means nothing, each once. Somebody is in the list from the commit on that told that they entered.",
			Parameters: []route.Parameter{route.Limit(defaultPage, maxPage, "people in a page"), route.Cursor},
			Answers:    answer(document.AudienceMembers{}),
			Problems: []document.Code{
				document.CodeUnknownAudience, document.CodeBadParameter, document.CodeShuttingDown, document.CodeEngineFailed, document.CodeShardLost, document.CodeTimeout,
			},
		},
		{
			Method: "POST", Path: "/v1/audiences/{key}/draw", Handler: q.drawAudience, Audience: route.Query, Scope: keyring.ReadProfiles, SameOrigin: true, Timely: true,
			Summary: "Draw members of an audience by chance",
			Notes:   "Members of the audiences in suppress are held back, and the answer says how many. A seed draws the same people again, as far as they are still there; a smaller draw is the beginning of a larger one.",
			Bodies:  []any{document.DrawRequest{}}, Answers: answer(document.Draw{}),
			Problems: []document.Code{
				document.CodeCrossOrigin, document.CodeInvalidBody, document.CodeBodyTooLarge, document.CodeBadParameter, document.CodeUnknownAudience, document.CodeBusy,
				document.CodeShuttingDown, document.CodeEngineFailed, document.CodeShardLost, document.CodeTimeout,
			},
		},
		{
			Method: "POST", Path: "/v1/audiences:preview", Handler: q.previewAudience, Audience: route.Query, Scope: keyring.ReadProfiles,
			Summary: "Count the people whom an audience would have", SameOrigin: true, Lasting: true,
			Notes: "Nothing is defined. About 20,000 people are looked at, the same ones every time, or everybody if exact is true; the answer then " +
				"takes as long as that takes, and ends when the client goes away.",
			Bodies: []any{document.AudiencePreviewRequest{}}, Answers: answer(document.AudiencePreview{}),
			Problems: []document.Code{
				document.CodeCrossOrigin, document.CodeInvalidBody, document.CodeBodyTooLarge, document.CodeBadAudience, document.CodeBusy,
				document.CodeShuttingDown, document.CodeEngineFailed, document.CodeShardLost, document.CodeTimeout,
			},
		},
		{
			Method: "GET", Path: "/v1/rules", Handler: q.getRules, Audience: route.Query, Scope: keyring.ReadProfiles,
			Summary: "Get the rules in force", Notes: "The route exists only where the server was given rules.",
			Answers: answer(document.Rules{}), Problems: []document.Code{document.CodeUnknownRoute, document.CodeBadParameter},
		},
		{
			Method: "GET", Path: "/v1/scores/parameters", Handler: q.getParameters, Audience: route.Query, Scope: keyring.ReadProfiles,
			Summary: "Get the parameters that scores are computed with", Notes: "The route exists only where the server computes scores.",
			Answers: answer(document.Parameters{}), Problems: []document.Code{document.CodeUnknownRoute, document.CodeBadParameter},
		},
	})
}

// person is a route about one person. All of them are looked up alike, so they share the parameter read; rt adds what is the
// route's own. All but explanations have entity tags.
func person(part string, h route.Handler, summary string, rt route.Route) route.Route {
	rt.Parameters = append(slices.Clone(rt.Parameters), route.Read)
	return about(part, route.Reading(h), summary, rt)
}

// about is a route about one person, with the problems that looking one up may have.
func about(part string, h route.Handler, summary string, rt route.Route) route.Route {
	rt.Method, rt.Path, rt.Handler, rt.Summary = "GET", "/v1/profiles/{id}"+part, h, summary
	rt.Audience, rt.Scope, rt.Timely = route.Query, keyring.ReadProfiles, true
	if slices.ContainsFunc(rt.Answers, func(a route.Answer) bool { return a.Status == http.StatusNotModified }) {
		rt.Parameters = append(rt.Parameters, route.IfNoneMatch)
	}
	rt.Problems = []document.Code{
		document.CodeBadParameter, document.CodeBadID, document.CodeUnknownNamespace, document.CodeNotFound, document.CodeInTransit, document.CodeBusy,
		document.CodeShuttingDown, document.CodeEngineFailed, document.CodeShardLost, document.CodeTimeout,
	}
	return rt
}

// tagged is the list of answers of a route whose success has this document and an entity tag.
func tagged(d any) []route.Answer {
	return []route.Answer{
		{Document: d, Headers: []route.Header{{Name: "ETag", Text: "entity tag of the answer"}}},
		{Status: http.StatusNotModified, Text: "The answer still has one of the tags of If-None-Match"},
	}
}

// answer is the list of answers of a route that has one success, with this document.
func answer(d any) []route.Answer { return []route.Answer{{Document: d}} }
