// Package contract holds the server to its OpenAPI document, with tools of others: the TypeScript client that is made of it,
// and schemathesis.
//
//	api/openapi.json ──► openapi-typescript ──► api/client/typescript ──► examples ──► node.Kindred
//	       └───────────► schemathesis ──► requests that nobody thought of ─────────────► node.Kindred
//
// Both need to be installed: make typescript, make schemathesis. Where one is not, its test is skipped; with CI=true the test
// fails.
package contract
