package client

import (
	"context"

	"github.com/kindred-id/kindred/api/document"
)

// Assertions are the calls by which an operator corrects who is who.
type Assertions struct{ conn *connection }

// Make makes or previews an operator's assertion.
func (a Assertions) Make(ctx context.Context, ask *document.AssertionRequest) (answer document.AssertionAnswer, err error) {
	err = a.conn.post(ctx, "/v1/assertions", nil, ask, &answer)
	return answer, err
}
