package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/api/document"
)

func (w *world) assert(t *testing.T, request string) (a document.AssertionAnswer) {
	t.Helper()
	w.post("/v1/assertions", request).into(t, &a)
	if err := w.engine.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
	return a
}

func (w *world) same(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y struct{ ID string }
	w.get("/v1/profiles/"+a).into(t, &x)
	w.get("/v1/profiles/"+b).into(t, &y)
	return x.ID == y.ID
}

func TestAssertions(t *testing.T) {
	w := newWorld(t, nil)
	w.feed(
		`{"type":"page","messageId":"1","userId":"u1","anonymousId":"a1"}`,
		`{"type":"page","messageId":"2","anonymousId":"a2"}`)

	force := `{"verb":"force","a":"anonymous_id:a2","b":"user_id:u1","by":"ann","note":"phone call"%s}`
	dry := w.assert(t, fmt.Sprintf(force, `,"dry_run":true`))
	if len(dry.Before) != 2 || len(dry.After) != 1 || !dry.DryRun || w.same(t, "anonymous_id:a2", "user_id:u1") {
		t.Fatalf("%+v", dry)
	}
	done := w.assert(t, fmt.Sprintf(force, ""))
	if len(done.Before) != 2 || len(done.After) != 1 || done.DryRun || !w.same(t, "anonymous_id:a2", "user_id:u1") {
		t.Fatalf("%+v", done)
	}
	if done.Assertion.A.Namespace != "user_id" || done.Assertion.B.Namespace != "anonymous_id" || done.Assertion.ID == "" || done.Assertion.By != "ann" {
		t.Fatalf("A does not outrank B: %+v", done.Assertion)
	}
	var after struct{ Events int }
	if err := json.Unmarshal(done.After[0], &after); err != nil || after.Events != 2 {
		t.Fatal(err, string(done.After[0]))
	}
	w.get("/v1/profiles/user_id:u1/how").want(t, 200, `"strength":"force"`, "joined by an operator", "phone call")
	w.get("/v1/profiles/anonymous_id:a1/assertions").want(t, 200, `"verb":"force"`, done.Assertion.ID)

	// The clock of this world stands still: the newer assertion holds all the same.
	if a := w.assert(t, fmt.Sprintf(force, `,"withdraw":true`)); !a.Assertion.Withdrawn || w.same(t, "anonymous_id:a2", "user_id:u1") {
		t.Fatalf("%+v", a)
	}
	w.post("/v1/assertions", fmt.Sprintf(force, `,"withdraw":true`)).want(t, 404, `"unknown_assertion"`)

	// A public id is the identifier itself, not the head of its identity.
	cannot := w.assert(t, fmt.Sprintf(`{"verb":"cannot","a":"user_id:u1","b":%q}`, w.id("anonymous_id:a1")))
	if cannot.Assertion.B.Value != "a1" || len(cannot.Before) != 1 || len(cannot.After) != 2 || w.same(t, "anonymous_id:a1", "user_id:u1") {
		t.Fatalf("%+v", cannot)
	}
	w.post("/v1/assertions", `{"verb":"force","a":"anonymous_id:a1","b":"user_id:u1"}`).want(t, 409, `"contradiction"`, cannot.Assertion.ID)
	w.assert(t, `{"verb":"cannot","a":"user_id:u1","b":"anonymous_id:a1","withdraw":true}`)
	if !w.same(t, "anonymous_id:a1", "user_id:u1") {
		t.Fatal("still apart")
	}
	for _, verb := range []string{`"retract","b":"anonymous_id:a1"`, `"forget"`} {
		w.assert(t, `{"a":"user_id:u1","verb":`+verb+`}`)
		if w.same(t, "anonymous_id:a1", "user_id:u1") {
			t.Fatalf("%s: still together", verb)
		}
		w.assert(t, `{"a":"user_id:u1","withdraw":true,"verb":`+verb+`}`)
		if !w.same(t, "anonymous_id:a1", "user_id:u1") {
			t.Fatalf("%s withdrawn: still apart", verb)
		}
	}

	// An assertion may come before what it is about.
	if a := w.assert(t, `{"verb":"cannot","a":"user_id:u1","b":"user_id:later"}`); len(a.Warnings) != 1 || !strings.HasPrefix(a.Warnings[0], "user_id:later was not seen") {
		t.Fatalf("%+v", a)
	}
	// The answer has the two in the order of rank, so it names which is meant.
	if a := w.assert(t, `{"verb":"cannot","a":"email:later@example.com","b":"user_id:u1"}`); len(a.Warnings) != 1 ||
		!strings.HasPrefix(a.Warnings[0], "email:later@example.com was not seen") {
		t.Fatalf("%+v", a)
	}
}

func TestBadAssertions(t *testing.T) {
	w := newWorld(t, nil)
	w.feed(`{"type":"page","messageId":"1","userId":"u1","anonymousId":"a1"}`)
	for body, want := range map[string]document.Code{
		`{"verb":"marry","a":"user_id:u1","b":"anonymous_id:a1"}`:                                      document.CodeBadAssertion,
		`{"verb":"force","b":"anonymous_id:a1"}`:                                                       document.CodeBadAssertion,
		`{"verb":"force","a":"anonymous_id:a1"}`:                                                       document.CodeBadAssertion,
		`{"verb":"forget","a":"anonymous_id:a1","b":"user_id:u1"}`:                                     document.CodeBadAssertion,
		`{"verb":"force","a":"user_id:u1","b":"user_id: u1 "}`:                                         document.CodeSameIdentifier,
		`{"verb":"force","a":"user_id:u1","b":"shoe_size:44"}`:                                         document.CodeUnknownNamespace,
		`{"verb":"force","a":"user_id:u1","b":"zzz"}`:                                                  document.CodeBadID,
		`{"verb":"forget","a":"user_id:u404"}`:                                                         document.CodeNotFound,
		`{"verb":"force","a":"user_id:u1","b":"k0000000000000000000000000g"}`:                          document.CodeNotFound,
		`{"verb":"cannot","a":"user_id:u1","b":"anonymous_id:a1","withdraw":true}`:                     document.CodeUnknownAssertion,
		`{"verb":"force","a":"user_id:u1","b":"user_id:x","note":"` + strings.Repeat("n", 1001) + `"}`: document.CodeBadAssertion,
		`{"verb":"force","a":"user_id:u1","b":"user_id:x","by":"` + strings.Repeat("n", 201) + `"}`:    document.CodeBadAssertion,
		`{"verb":1}`:     document.CodeInvalidBody,
		`[]`:             document.CodeInvalidBody,
		`{"force":true}`: document.CodeInvalidBody,
	} {
		if a := w.post("/v1/assertions", body); !strings.Contains(a.body, `"code":"`+string(want)+`"`) {
			t.Errorf("%s: %s, want %s", body, a.body, want)
		}
	}
	r := httptest.NewRequest("POST", "/v1/assertions", strings.NewReader(`{"verb":"forget","a":"user_id:u1"}`))
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w.do(r).want(t, 403, `"cross_origin"`)
}
