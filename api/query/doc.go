// Package query answers about people: the part of the API for programs that ask about one person, or about several.
//
//	GET /v1/profiles/{id}/… ──► lookup.Lookup ──► Engine.Read, Timeline, Why, How ──► package document
package query
