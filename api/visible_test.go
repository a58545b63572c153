package api

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/kindred-id/kindred/graph"
)

// TestReadYourWrites: what was answered is found at once by every identifier that it names, whichever client
// else merges the same people meanwhile (P8).
func TestReadYourWrites(t *testing.T) {
	rules := &graph.Rules{Name: "open", MaxMembers: 1000, MaxLinks: 10_000}
	w := newWorldUnder(t, 64, rules, nil)
	const clients, people = 8, 60
	posts := 150
	if testing.Short() {
		posts = 40
	}
	kinds := []struct{ namespace, member string }{
		{"user_id", `"userId":"%s"`},
		{"email", `"traits":{"email":"%s@example.com"}`},
		{"anonymous_id", `"anonymousId":"%s"`},
		{"device_id", `"context":{"device":{"id":"%s"}}`},
	}
	var group sync.WaitGroup
	for client := range clients {
		group.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(client), 8))
			for i := range posts {
				// Few identifiers of few people, so that clients meet in the same components.
				person := rng.IntN(people)
				var members, ids []string
				for _, at := range rng.Perm(len(kinds))[:1+rng.IntN(len(kinds))] {
					value := fmt.Sprintf("p%dv%d", person, rng.IntN(3))
					if kinds[at].namespace == "user_id" { // which is never the cookie
						value = "u" + value
					}
					members = append(members, fmt.Sprintf(kinds[at].member, value))
					if kinds[at].namespace == "email" {
						value += "@example.com"
					}
					ids = append(ids, kinds[at].namespace+":"+value)
				}
				message := fmt.Sprintf("c%dm%d", client, i)
				body := fmt.Sprintf(`{"type":"identify","messageId":"%s","timestamp":"2026-01-01T00:00:00Z",%s}`, message, strings.Join(members, ","))
				if a := w.post("/v1/identify", body); a.status != 200 || !strings.Contains(a.body, `"accepted":1`) {
					t.Errorf("%s: status %d: %s", body, a.status, a.body)
					return
				}
				for _, id := range ids {
					a := w.get("/v1/profiles/" + url.PathEscape(id) + "/events?limit=1000")
					if !strings.Contains(a.body, `"message_id":"`+message+`"`) {
						t.Errorf("client %d, post %d: %s was answered, and is not found by %s: status %d, %.300s", client, i, body, id, a.status, a.body)
						return
					}
				}
			}
		})
	}
	group.Wait()
}

// TestBulkVisible: one wait after many batches that did without covers all of them.
func TestBulkVisible(t *testing.T) {
	w := newWorldUnder(t, 64, graph.DefaultRules(), nil)
	const events = 200
	for i := range events {
		w.post("/v1/batch?wait=durable", fmt.Sprintf(`{"type":"identify","userId":"u%d","anonymousId":"a%d"}`, i, i)).want(t, 200)
	}
	w.post("/v1/batch", `{"batch":[]}`).want(t, 200, `"accepted":0`)
	for i := range events {
		w.get(fmt.Sprintf("/v1/profiles/anonymous_id:a%d", i)).want(t, 200, `"events":1`, fmt.Sprintf(`"u%d"`, i))
	}
	w.post("/v1/batch?wait=for-ever", `{"batch":[]}`).want(t, 400, "wait")
}

// TestAssertionVisible: a force between two shards is seen from both ends once it was answered.
func TestAssertionVisible(t *testing.T) {
	w := newWorldUnder(t, 64, graph.DefaultRules(), nil)
	for i := range 40 {
		a, b := fmt.Sprintf("anonymous_id:a%d", i), fmt.Sprintf("anonymous_id:b%d", i)
		for _, id := range []string{a, b} {
			w.post("/v1/page", fmt.Sprintf(`{"anonymousId":"%s"}`, strings.TrimPrefix(id, "anonymous_id:"))).want(t, 200)
		}
		w.post("/v1/assertions", fmt.Sprintf(`{"verb":"force","a":"%s","b":"%s"}`, a, b)).want(t, 200)
		for _, id := range []string{a, b} {
			w.get("/v1/profiles/"+url.PathEscape(id)).want(t, 200, `"events":2`)
		}
	}
}
