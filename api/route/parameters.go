package route

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/scoring"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/graph/score"
)

// Parameters that several routes have.
var (
	Fields      = Parameter{Name: "fields", Text: "members of the profile to answer, with commas between; traits.NAME is one trait; default: all"}
	Scores      = Parameter{Name: "scores", Type: "boolean", Default: "false", Text: "true: with the scores, as of now; so does scores among the fields"}
	Audiences   = Parameter{Name: "audiences", Type: "boolean", Default: "false", Text: "true: with the audiences that the person is in, and since when; so does audiences among the fields"}
	Computed    = Parameter{Name: "computed", Type: "boolean", Default: "false", Text: "true: with the computed traits, as of now; so does computed among the fields"}
	IfNoneMatch = Parameter{Name: "If-None-Match", Header: true, Text: "entity tags: the answer is 304 if it still has one of them"}
	Read        = Parameter{
		Name: "read", Enum: []string{"local", "strong"}, Default: "local",
		Text: "strong: the answer has all that any node answered before the request, and nothing that a crash could take back; it waits for a commit",
	}
	Cursor = Parameter{Name: "cursor", Text: "next of the page before"}
)

// Reading lets a handler read as the parameter read says.
func Reading(h Handler) Handler {
	return func(w http.ResponseWriter, r *http.Request) *Problem {
		switch how := r.URL.Query()["read"]; {
		case len(how) == 0 || len(how) == 1 && how[0] == "local":
		case len(how) == 1 && how[0] == "strong":
			r = r.WithContext(actors.Strong(r.Context()))
		default:
			return NewProblem(document.CodeBadParameter, "read: want local or strong, once")
		}
		return h(w, r)
	}
}

// Limit describes the parameter limit of a route whose answers are pages.
func Limit(otherwise, most int, text string) Parameter {
	return Parameter{Name: "limit", Type: "integer", Min: 1, Max: most, Default: strconv.Itoa(otherwise), Text: text}
}

// LimitParameter reads the parameter limit.
func LimitParameter(r *http.Request, otherwise, most int) (int, *Problem) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, NewProblem(document.CodeBadParameter, "limit: want a whole number from 1 to %d", most)
	}
	return n, nil
}

// NewCursor is a cursor that holds a position. Clients hand it back as it is.
func NewCursor(position string) string { return base64.RawURLEncoding.EncodeToString([]byte(position)) }

// CursorParameter reads the position of the parameter cursor; empty where it is missing.
func CursorParameter(r *http.Request) (position string, p *Problem) {
	return PositionParameter(r, "cursor")
}

// PositionParameter reads the position of a cursor that comes in a parameter of another name.
func PositionParameter(r *http.Request, name string) (position string, p *Problem) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(r.URL.Query().Get(name))
	if err != nil {
		return "", BadCursor()
	}
	return string(text), nil
}

// BadCursor says that the parameter cursor does not come from the route.
func BadCursor() *Problem {
	return NewProblem(document.CodeBadParameter, "cursor: not a cursor of this server").WithHint("give the \"next\" of the page before, unchanged")
}

// TimeParameter reads a parameter that is a moment as RFC 3339, into ms since 1970; otherwise where it is missing.
func TimeParameter(r *http.Request, name string, otherwise int64) (int64, *Problem) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, NewProblem(document.CodeBadParameter, "%s: want a time such as 2026-01-31T09:30:00Z", name).
			WithHint("write the time as RFC 3339, with + as %2B")
	}
	return at.UnixMilli(), nil
}

// BoolParameter reads a parameter that is true or false, and false where it is missing.
func BoolParameter(r *http.Request, name string) (bool, *Problem) {
	switch r.URL.Query().Get(name) {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, NewProblem(document.CodeBadParameter, "%s: want true or false", name)
}

// EmptyParameter reports whether the parameter identifiers asks for people without an event, too.
func EmptyParameter(r *http.Request) (bool, *Problem) {
	switch r.URL.Query().Get("identifiers") {
	case "":
		return false, nil
	case "all":
		return true, nil
	}
	return false, NewProblem(document.CodeBadParameter, "identifiers: want all, or nothing")
}

// Shape reads which members of profiles a request asks for: the parameters fields, scores, audiences and computed. keeper is nil where the
// server computes no scores.
func Shape(r *http.Request, keeper *scoring.Keeper, control score.Control) (shape document.Shape, p *Problem) {
	if shape.Control = control; r.URL.RawQuery == "" {
		return shape, nil
	}
	var err error
	if shape.Fields, err = document.ParseFields(r.URL.Query().Get("fields")); err != nil {
		return shape, NewProblem(document.CodeBadParameter, "fields: %v", err)
	}
	asked, p := BoolParameter(r, "scores")
	switch {
	case p != nil:
		return shape, p
	case !asked && !shape.Fields.Scores():
	case keeper == nil:
		return shape, NewProblem(document.CodeBadParameter, "scores: this server computes none")
	default:
		shape.Scores = keeper.Scorer()
	}
	if shape.Audiences, p = BoolParameter(r, "audiences"); p != nil {
		return shape, p
	}
	if shape.Computed, p = BoolParameter(r, "computed"); p != nil {
		return shape, p
	}
	shape.Audiences, shape.Computed = shape.Audiences || shape.Fields.Audiences(), shape.Computed || shape.Fields.Computed()
	return shape, nil
}

// NoStanding refuses a shape of what definitions say of people, for routes that answer about people as events made them.
func NoStanding(shape *document.Shape) *Problem {
	if shape.Standing() {
		return NewProblem(document.CodeBadParameter, "audiences and computed traits come for one person at a time, or with an export")
	}
	return nil
}
