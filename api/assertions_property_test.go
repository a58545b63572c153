package api

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/graph"
)

// The dry run, the answer of the assertion and the profiles afterwards agree: for
// every verb, made and withdrawn, over shards, with values that are generic or are about to be, and people over limits.
func TestAnswersOfAssertions(t *testing.T) {
	scripts := uint64(60)
	if testing.Short() {
		scripts = 12
	}
	for seed := range scripts {
		rng := rand.New(rand.NewPCG(seed, 0))
		rules := graph.DefaultRules()
		rules.Version += seed + 1
		rules.GenericCustomers = 2 + rng.IntN(4)
		rules.Limits[1].Max = 1 + rng.IntN(3)
		w := newWorldUnder(t, 16, rules, nil)
		ids := make([]string, 0, 16)
		for i := range 5 {
			ids = append(ids, fmt.Sprint("user_id:u", i), fmt.Sprintf("email:e%d@x.org", i%3), fmt.Sprint("anonymous_id:a", i))
		}
		number := 0
		visit := func() string {
			number++
			return fmt.Sprintf(`{"type":"%s","messageId":"%d","userId":"u%d","anonymousId":"a%d","previousId":"a%d","timestamp":"2026-01-01T00:%02d:00Z","traits":{"email":"e%d@x.org"}}`,
				[]string{"identify", "identify", "alias"}[rng.IntN(3)], number, rng.IntN(5), rng.IntN(5), rng.IntN(5), rng.IntN(60), rng.IntN(3))
		}
		var made []string
		for step := range 8 {
			var events []string
			for range 1 + rng.IntN(4) {
				events = append(events, visit())
			}
			w.feed(events...)
			verb := []string{"force", "cannot", "retract", "forget", "force"}[rng.IntN(5)]
			a, b := ids[rng.IntN(len(ids))], ids[rng.IntN(len(ids))]
			request := fmt.Sprintf(`{"verb":"%s","a":"%s","b":"%s"`, verb, a, b)
			if verb == "forget" {
				request = fmt.Sprintf(`{"verb":"forget","a":"%s"`, a)
			}
			if len(made) > 0 && rng.IntN(4) == 0 {
				request = made[rng.IntN(len(made))] + `,"withdraw":true`
			}
			dry := w.post("/v1/assertions", request+`,"dry_run":true}`)
			done := w.post("/v1/assertions", request+`}`)
			if dry.status != done.status {
				t.Fatalf("seed %d, step %d: %s: dry run %d, then %d", seed, step, request, dry.status, done.status)
			}
			if done.status != 200 { // one identifier twice, a contradiction, one that was withdrawn already
				continue
			}
			if !strings.Contains(request, "withdraw") {
				made = append(made, request)
			}
			var said, did document.AssertionAnswer
			dry.into(t, &said)
			done.into(t, &did)
			if got, want := texts(said.After), texts(did.After); got != want {
				t.Fatalf("seed %d, step %d: %s}\nthe dry run says\n%s\nthe answer\n%s", seed, step, request, got, want)
			}
			var now []document.Encoded[document.Profile]
			for _, name := range []*document.Name{&did.Assertion.A, did.Assertion.B} {
				if name == nil {
					continue
				}
				p := w.get("/v1/profiles/" + url.PathEscape(name.Namespace+":"+name.Value))
				if p.status == 200 && !slices.ContainsFunc(now, func(m document.Encoded[document.Profile]) bool { return string(m) == p.body }) {
					now = append(now, document.Encoded[document.Profile](p.body))
				}
			}
			if got, want := texts(did.After), texts(now); got != want {
				t.Fatalf("seed %d, step %d: %s}\nthe answer\n%s\nprofiles\n%s", seed, step, request, got, want)
			}
		}
		w.engine.Close(t.Context())
	}
}

// texts are documents in one order, without white space around them.
func texts(documents []document.Encoded[document.Profile]) string {
	var all []string
	for _, d := range documents {
		all = append(all, strings.TrimSpace(string(d)))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}
