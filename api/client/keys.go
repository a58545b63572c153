package client

import (
	"context"

	"github.com/kindred-id/kindred/api/document"
)

// SetKey makes the client show an access key. Call it before any other call.
func (c *Client) SetKey(key string) { c.conn.key = key }

const keysPath = "/v1/admin/keys"

// Keys lists the access keys of the deployment.
func (a Admin) Keys(ctx context.Context) (keys document.AccessKeys, err error) {
	err = a.conn.get(ctx, keysPath, nil, &keys)
	return keys, err
}

// CreateKey makes an access key. The answer is the only place that has the key itself.
func (a Admin) CreateKey(ctx context.Context, ask document.AccessKeyRequest) (key document.NewAccessKey, err error) {
	err = a.conn.post(ctx, keysPath, nil, ask, &key)
	return key, err
}

// RotateKey makes the successor of an access key.
func (a Admin) RotateKey(ctx context.Context, id string, ask document.RotationRequest) (key document.NewAccessKey, err error) {
	err = a.conn.post(ctx, keysPath+"/"+escape(id)+"/rotate", nil, ask, &key)
	return key, err
}

// RevokeKey ends an access key.
func (a Admin) RevokeKey(ctx context.Context, id string) (key document.AccessKey, err error) {
	err = a.conn.deleted(ctx, keysPath+"/"+escape(id), &key)
	return key, err
}
