package admin

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

const ifMatchHeader = "If-Match"

// ifMatch is the parameter of routes that change definitions: an edit that was made of an older version must not undo another one.
var ifMatch = route.Parameter{
	Name: ifMatchHeader, Header: true,
	Text: `the version that the change was made of, in quotes, such as "12": if another one is the newest, nothing changes. Without it the change is made in any case`,
}

// refusedDefinition says that a definition is wrong, and not the engine.
type refusedDefinition struct{ err error }

func (r *refusedDefinition) Error() string { return r.err.Error() }

// errStale is returned for a change of a version that is not the newest.
var errStale = errors.New("definitions: another version is the newest")

// define changes definitions by what a request gives, in one version, or not at all.
func (a *Admin) define(r *http.Request, next func(now *audiences.State) (*audiences.State, error)) (*audiences.State, *route.Problem) {
	of, p := versionOf(r)
	if p != nil {
		return nil, p
	}
	newest := uint64(0)
	state, err := a.Engine.Define(r.Context(), func(now *audiences.State) (*audiences.State, error) {
		if newest = 0; now != nil {
			newest = now.Version
		}
		if of != nil && *of != newest {
			return nil, errStale
		}
		return next(now)
	})
	switch refused := (*refusedDefinition)(nil); {
	case err == nil:
		return state, nil
	case errors.Is(err, errStale):
		return nil, route.NewProblem(document.CodeStaleVersion, "version %d is the newest, and the change was made of version %d", newest, *of)
	case errors.As(err, &refused):
		return nil, route.NewProblem(document.CodeBadAudience, "%v", refused.err)
	}
	return nil, route.EngineProblem(err)
}

// withOthers adds to given definitions those of other keys that there are, unless they are to go.
func withOthers[T any](given []T, prune bool, defined func() ([]T, error), key func(T) string) ([]T, error) {
	if prune {
		return given, nil
	}
	list, err := defined()
	rest := slices.DeleteFunc(list, func(d T) bool {
		return slices.ContainsFunc(given, func(g T) bool { return key(g) == key(d) })
	})
	return append(rest, given...), err
}

// versionOf reads the version that a change was made of; nil where the request does not say it.
func versionOf(r *http.Request) (*uint64, *route.Problem) {
	text := r.Header.Get(ifMatchHeader)
	if text == "" {
		return nil, nil
	}
	digits, err := strconv.Unquote(text)
	version, wrong := strconv.ParseUint(digits, 10, 64)
	if err != nil || wrong != nil || len(r.Header.Values(ifMatchHeader)) > 1 {
		return nil, route.NewProblem(document.CodeBadParameter, `%s: want one version in quotes, such as "12"`, ifMatchHeader)
	}
	return &version, nil
}
