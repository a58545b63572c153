package client

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/kindred-id/kindred/api/document"
)

// Assertions are the calls by which an operator corrects who is who.
type Assertions struct{ conn *connection }

// Make makes or previews an operator's assertion.
func (a Assertions) Make(ctx context.Context, ask *document.AssertionRequest) (answer document.AssertionAnswer, err error) {
	err = a.conn.post(ctx, "/v1/assertions", nil, ask, &answer)
	return answer, err
}

// MakeOnce is Make under an idempotency key, a text that is new for each assertion: sent again within 24 hours, it gets the
// same answer and makes nothing. So a caller may repeat it whenever an answer is lost.
func (a Assertions) MakeOnce(ctx context.Context, key string, ask *document.AssertionRequest) (answer document.AssertionAnswer, err error) {
	body, err := json.Marshal(ask)
	if err != nil {
		return answer, err
	}
	res, err := a.conn.sendWith(ctx, http.MethodPost, "/v1/assertions", nil, body, http.Header{"Idempotency-Key": {key}})
	if err != nil {
		return answer, err
	}
	defer res.Body.Close()
	err = json.NewDecoder(res.Body).Decode(&answer)
	return answer, err
}
