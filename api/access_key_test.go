package api

import (
	"reflect"
	"testing"

	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/document"
)

// The life of a key over HTTP. A deployment without keys is open, until an admin key is made.
func TestKeysOverHTTP(t *testing.T) {
	w := newWorld(t, nil)
	w.get("/v1/admin/keys").want(t, 404, `"unknown_route"`) // a server without a keyring
	keys, err := keyring.Open(w.engine.Catalog(), w.engine.Now)
	if err != nil {
		t.Fatal(err)
	}
	k := &keyed{world: w, keys: keys}
	w.reconfigure(func(c *Config) { c.Keys, c.Access = keys, gateOf(keys) })
	const path = "/v1/admin/keys"
	k.ask("GET", path, "", "").want(t, 200, `{"keys":[],"next":null}`)
	k.ask("POST", path, `{"name":"shop","kind":"write"}`, "").want(t, 409, `"first_key"`)
	k.ask("GET", "/v1/stats", "", "").want(t, 200)
	var admin, write, next document.NewAccessKey
	k.ask("POST", path, `{"name":"ann","role":"admin"}`, "").into(t, &admin)
	k.ask("GET", path, "", "").want(t, 401, `"no_key"`)
	k.ask("POST", path, `{"name":"eve","kind":"admin"}`, "").want(t, 401, `"no_key"`)
	k.ask("POST", path, `{"name":"shop","kind":"write","source":"shop-web","expires_in_seconds":3600,"rate_per_second":5}`, admin.Key).into(t, &write)
	if write.Source != "shop-web" || write.Expires != "2026-01-02T04:04:05.678Z" || write.RatePerSecond != 5 || write.State != "live" {
		t.Errorf("%+v", write)
	}
	a := k.ask("POST", "/v1/page", `{"userId":"u","messageId":"m"}`, write.Key)
	a.want(t, 200)
	if a.header.Get("RateLimit-Limit") != "5" {
		t.Error(a.header)
	}
	k.ask("POST", path+"/"+write.ID+"/rotate", `{"overlap_seconds":60}`, admin.Key).into(t, &next)
	k.ask("POST", path+"/"+write.ID+"/rotate", `{}`, admin.Key).want(t, 409, `"key_ended"`)
	k.ask("GET", path, "", admin.Key).want(t, 200, `"state":"rotated"`, `"successor":"`+next.ID+`"`)
	var all document.AccessKeys
	k.ask("GET", path, "", admin.Key).into(t, &all)
	paged := []document.AccessKey{}
	for cursor, more := "", true; more; more = cursor != "" {
		var page document.AccessKeys
		k.ask("GET", path+"?limit=1&cursor="+cursor, "", admin.Key).into(t, &page)
		paged, cursor = append(paged, page.Keys...), string(page.Next)
	}
	if len(paged) != 3 || !reflect.DeepEqual(paged, all.Keys) {
		t.Errorf("%+v in pages, %+v at once", paged, all.Keys)
	}
	for _, bad := range []string{"limit=0", "limit=10001", "cursor=!", "cursor=AAAA"} {
		k.ask("GET", path+"?"+bad, "", admin.Key).want(t, 400, `"bad_parameter"`)
	}
	w.now.Add(60_000)
	k.ask("POST", "/v1/page", `{"userId":"u"}`, write.Key).want(t, 401, `"key_expired"`, write.ID)
	k.ask("POST", "/v1/page", `{"userId":"u"}`, next.Key).want(t, 200)
	k.ask("DELETE", path+"/"+next.ID, "", admin.Key).want(t, 200, `"state":"revoked"`)
	k.ask("POST", "/v1/page", `{"userId":"u"}`, next.Key).want(t, 401, `"key_revoked"`)
	for body, code := range map[string]string{
		`{"name":"x"}`: `"bad_key"`, `{"name":"x","kind":"root"}`: `"bad_key"`, `{"name":"x","kind":"write","scopes":["ops"]}`: `"bad_key"`,
		`{"name":"x","kind":"read","scopes":["all"]}`: `"bad_key"`, `{"name":"x","kind":"read","expires_in_seconds":-1}`: `"bad_key"`,
		`{"name":"x","kind":"read","expires_in_seconds":9223372036854775807}`: `"bad_key"`, `{"name":"x","kid":"read"}`: `"invalid_body"`, ``: `"invalid_body"`,
	} {
		k.ask("POST", path, body, admin.Key).want(t, 400, code)
	}
	k.ask("POST", path+"/"+admin.ID+"/rotate", `{"overlap_seconds":-1}`, admin.Key).want(t, 400, `"bad_key"`)
	k.ask("DELETE", path+"/"+admin.Key, "", admin.Key).want(t, 404, `"no_such_key"`)
	// A key with graph:admin alone makes no key that may do more.
	var steward document.NewAccessKey
	k.ask("POST", path, `{"name":"eve","kind":"admin","scopes":["graph:admin"]}`, admin.Key).into(t, &steward)
	k.ask("POST", path, `{"name":"eve","kind":"read"}`, steward.Key).want(t, 403, `"wrong_scope"`)
	k.ask("DELETE", path+"/"+admin.ID, "", steward.Key).want(t, 403, `"wrong_scope"`)
	k.ask("GET", "/v1/stats", "", admin.Key).want(t, 200)
}
