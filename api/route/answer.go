package route

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
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

// SendTagged answers with JSON text, which ends with a line break, and its hash as the entity tag; or with 304 where
// If-None-Match lists the tag.
func SendTagged(w http.ResponseWriter, r *http.Request, body []byte) *Problem {
	if Unchanged(w, r, "", body) {
		return nil
	}
	return SendJSON(w, body)
}

// SendTaggedDocument is SendTagged for a document.
func SendTaggedDocument(w http.ResponseWriter, r *http.Request, answer any) *Problem {
	body, err := json.Marshal(answer)
	if err != nil {
		return &Problem{Code: document.CodeInternal, Detail: "the answer can't be encoded"}
	}
	return SendTagged(w, r, append(body, '\n'))
}

// Unchanged sets an entity tag, which is a prefix, empty or "W/", and a hash of text. It reports whether the client has
// the answer already; then 304 is sent.
//
// A tag costs the look-up and saves the transfer alone. It could be cheaper as the number of the commit that changed the
// person; but then each event of a component would change the tags of all people in it.
func Unchanged(w http.ResponseWriter, r *http.Request, prefix string, text []byte) bool {
	sum := sha256.Sum256(text)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	w.Header().Set("ETag", prefix+tag)
	w.Header().Set("Cache-Control", "private, no-cache")
	if !matches(r.Header.Values("If-None-Match"), tag) {
		return false
	}
	w.WriteHeader(http.StatusNotModified)
	return true
}

// matches reports whether a list of entity tags holds tag, weakly compared.
func matches(lists []string, tag string) bool {
	for _, list := range lists {
		for candidate := range strings.SplitSeq(list, ",") {
			candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
			if candidate == "*" || candidate == tag {
				return true
			}
		}
	}
	return false
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
	case errors.Is(err, errNoRoom):
		return &Problem{Code: document.CodeBusy, Detail: errNoRoom.Error(), RetryAfter: RetryAfterBusy}
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
	}
	// encoding/json has no type for this error.
	if name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		return NewProblem(document.CodeInvalidBody, "%s: the body has no member of this name", name).WithHint("it has: " + strings.Join(members(reflect.TypeOf(into), ""), ", "))
	}
	return NewProblem(document.CodeInvalidBody, "%v", err)
}

// members lists the members that a document may have, with those of objects and lists in it.
func members(document reflect.Type, within string) (names []string) {
	for document.Kind() == reflect.Pointer || document.Kind() == reflect.Slice {
		document = document.Elem()
	}
	if document.Kind() != reflect.Struct {
		return nil
	}
	for _, f := range reflect.VisibleFields(document) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			names = append(append(names, within+name), members(f.Type, within+name+".")...)
		}
	}
	return names
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
