package admin

import (
	"errors"
	"net/http"

	"github.com/kindred-id/kindred/actors/scoring"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph/score/fit"
)

// postFit answers POST /v1/scores/fit, once the fit has ended. A fit that failed because of its sample is answered
// with 200 as well: the parameters before are in use, and kept says why. Other failures are those of the engine that
// the sample is read from.
func (a *Admin) postFit(w http.ResponseWriter, r *http.Request) *route.Problem {
	if a.Scores == nil {
		return &route.Problem{Code: document.CodeUnknownRoute}
	}
	route.Patient(w)
	parameters, result, err := a.Scores.Fit(r.Context())
	if err != nil && (r.Context().Err() != nil || a.Engine.Err() != nil) {
		return route.EngineProblem(err)
	}
	if err != nil && result == scoring.Failed && !ofSample(err) {
		return route.EngineProblem(err)
	}
	d := document.NewParameters(parameters, a.Scores.Scorer().Terms())
	d.Result = string(result)
	if err != nil {
		d.Kept = err.Error()
	}
	return route.Send(w, d)
}

// ofSample reports whether an error is about the sample's content.
func ofSample(err error) bool {
	return errors.Is(err, fit.ErrSample) || errors.Is(err, fit.ErrNoOptimum) || errors.Is(err, fit.ErrCell)
}
