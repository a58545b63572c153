package client

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/kindred-id/kindred/api/document"
)

// Problem is an answer that is not a success: RFC 9457, with a stable code and a hint.
type Problem struct {
	document.UnreadableBatch // BatchOutcome is set only for a batch in which no event could be read

	after time.Duration // how long the server asks to wait
}

func (p *Problem) Error() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	if p.Hint != "" {
		text += " (" + p.Hint + ")"
	}
	return text
}

// problemMax bounds how much of a failed answer is read, in bytes.
const problemMax = 8 << 20

// readProblem turns an answer into a problem. An answer that is not a problem document came from a proxy, or from a
// server that is not Kindred.
func readProblem(res *http.Response) *Problem {
	body, _ := io.ReadAll(io.LimitReader(res.Body, problemMax))
	p := new(Problem)
	if err := json.Unmarshal(body, p); err != nil || p.Title == "" && p.Detail == "" {
		text, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
		if len(text) > 200 {
			text = text[:200] + "…"
		}
		p = new(Problem)
		p.Problem = document.Problem{
			Title:  http.StatusText(res.StatusCode),
			Detail: strings.TrimSuffix(fmt.Sprintf("%s answers %d %s: %s", res.Request.URL.Host, res.StatusCode, http.StatusText(res.StatusCode), text), ": "),
			Hint:   "check that the address is that of a Kindred server",
		}
	}
	p.Status, p.after = res.StatusCode, retryAfter(res.Header)
	return p
}
