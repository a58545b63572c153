package api

import (
	_ "embed" // the OpenAPI document
	"net/http"

	"github.com/kindred-id/kindred/api/route"
)

// openAPI is the OpenAPI 3.1 document of the API. TestOpenAPI fails where it is not what the routes and documents make.
//
//go:generate go test -run ^TestOpenAPI$ -update .
//go:embed openapi.json
var openAPI []byte

// getOpenAPI answers GET /openapi.json.
func getOpenAPI(w http.ResponseWriter, _ *http.Request) *route.Problem {
	return route.SendJSON(w, openAPI)
}
