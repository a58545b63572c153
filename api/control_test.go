package api

import (
	"net/url"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/api/lookup"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/graph/score"
)

// memberOf makes a control group and two user ids, of which the first is a member and the second is not.
func memberOf(t *testing.T, registry *identifier.Registry) (control score.Control, member, other string) {
	t.Helper()
	control, err := score.NewControl(0.5)
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
		name, err := lookup.ParseID(registry, "user_id:"+user)
		if err != nil {
			t.Fatal(err)
		}
		if control.Holds(name.Key.AppendBinary(nil)) {
			member = user
		} else {
			other = user
		}
	}
	return control, member, other
}

// Wherever a profile is shown, a member of the control group is one, and nobody else; a merge of cookies
// into a person keeps the membership of the canonical id.
func TestControlShows(t *testing.T) {
	w := newWorld(t, nil)
	control, member, other := memberOf(t, w.server.Registry)
	w.reconfigure(func(c *Config) { c.Control = control })
	w.feed(`{"type":"page","userId":"`+member+`","messageId":"1"}`, `{"type":"page","userId":"`+other+`","messageId":"2"}`)
	shown := func(user string) bool {
		t.Helper()
		var one struct{ Control bool }
		w.get("/v1/profiles/"+url.PathEscape("user_id:"+user)).into(t, &one)
		var many struct {
			Results []struct{ Profile struct{ Control bool } }
		}
		w.post("/v1/profiles:batchGet", `{"ids":["user_id:`+user+`"]}`).into(t, &many)
		if len(many.Results) != 1 || many.Results[0].Profile.Control != one.Control {
			t.Fatalf("%s: %v alone, in a batch %+v", user, one.Control, many)
		}
		return one.Control
	}
	if !shown(member) || shown(other) {
		t.Errorf("member %v, other %v", shown(member), shown(other))
	}
	if body := w.get("/v1/profiles/user_id:" + other).body; strings.Contains(body, "control") {
		t.Errorf("the profile of another speaks of it: %s", body)
	}
	for _, cookie := range []string{"c1", "c2", "c3"} {
		w.feed(`{"type":"page","anonymousId":"`+cookie+`","messageId":"`+cookie+`"}`,
			`{"type":"identify","anonymousId":"`+cookie+`","userId":"`+member+`","messageId":"to `+cookie+`"}`)
	}
	var merged struct{ ID string }
	w.get("/v1/profiles/user_id:"+member).into(t, &merged)
	survivor, err := lookup.ParseID(w.server.Registry, merged.ID)
	if err != nil {
		t.Fatal(err)
	}
	if shown(member) != control.Holds(survivor.Key.AppendBinary(nil)) {
		t.Error("a merge did not keep the membership of the canonical id")
	}
}
