package route

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/kindred-id/kindred/api/document"
)

// maxRequestBytes bounds a body that is not events.
const maxRequestBytes = 1 << 20

// stallTimeout bounds how long a client may take for one piece of a long answer, about 64 KiB.
const stallTimeout = time.Minute

// Send answers with a document.
func Send(w http.ResponseWriter, answer any) *Problem {
	body, err := json.Marshal(answer)
	if err != nil {
		return &Problem{Code: document.CodeInternal, Detail: "the answer can't be encoded"}
	}
	return SendJSON(w, append(body, '\n'))
}

// SendJSON answers with JSON text, which ends with a line break.
func SendJSON(w http.ResponseWriter, body []byte) *Problem {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	_, _ = w.Write(body) // the client has gone: nobody to tell
	return nil
}

// ScoresParameter reports whether the parameter scores asks for them. available reports whether the server computes any.
func ScoresParameter(r *http.Request, available bool) (bool, *Problem) {
	switch r.URL.Query().Get("scores") {
	case "", "false":
		return false, nil
	case "true":
		if !available {
			return false, NewProblem(document.CodeBadParameter, "scores: this server computes none")
		}
		return true, nil
	default:
		return false, NewProblem(document.CodeBadParameter, "scores: want true or false")
	}
}

// ReadJSON reads the body of a request that is not events: one JSON object with known members only.
func ReadJSON(w http.ResponseWriter, r *http.Request, into any) *Problem {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequestBytes))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil && d.More() {
		return NewProblem(document.CodeInvalidBody, "something follows the JSON object")
	}
	var large *http.MaxBytesError
	var typed *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &large):
		return NewProblem(document.CodeBodyTooLarge, "more than %d bytes", large.Limit).WithHint("send less in a request")
	case errors.Is(err, io.EOF):
		return NewProblem(document.CodeInvalidBody, "the body is empty: want a JSON object")
	case errors.As(err, &typed):
		at := typed.Field
		if at == "" {
			at = "the body"
		}
		return NewProblem(document.CodeInvalidBody, "%s: is of type %s, which it can't be", at, typed.Value).WithHint("see the documentation of the route")
	default:
		return NewProblem(document.CodeInvalidBody, "%v", err)
	}
}

// Patient lifts the deadlines of an answer that may take long. A connection without deadlines, as in tests, is left
// alone.
func Patient(w http.ResponseWriter) {
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Time{})
	_ = c.SetWriteDeadline(time.Time{})
}

// StallGuard ends a long answer whose client does not read.
type StallGuard struct {
	w       io.Writer
	control *http.ResponseController
}

// NewStallGuard guards an answer that Patient was called for.
func NewStallGuard(w http.ResponseWriter) *StallGuard {
	return &StallGuard{w, http.NewResponseController(w)}
}

// Write implements io.Writer.
func (g *StallGuard) Write(b []byte) (int, error) {
	_ = g.control.SetWriteDeadline(time.Now().Add(stallTimeout)) // see Patient
	return g.w.Write(b)
}
