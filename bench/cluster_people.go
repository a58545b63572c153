package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/kindred-id/kindred/graph"
)

// clusterPeople are people of a cluster, by their shards.
type clusterPeople struct {
	ids    [][]string // public ids
	probes []string   // a customer number that has nothing but its own events, in each shard
}

// peopleMost is how many people of the stream are looked up.
const peopleMost = 2000

// people finds people of the stream, and makes one for the probe of each shard.
func (n *clusterNodes) people(ctx context.Context, lines [][]byte) (*clusterPeople, error) {
	shards := n.config.Shards
	p := &clusterPeople{ids: make([][]string, shards), probes: make([]string, shards)}
	found := map[string]bool{}
	for _, line := range lines {
		_, rest, ok := bytes.Cut(line, []byte(`"userId":"`))
		if !ok || len(found) == peopleMost {
			continue
		}
		user, _, _ := bytes.Cut(rest, []byte(`"`))
		if found[string(user)] {
			continue
		}
		found[string(user)] = true
		if key, err := n.key(ctx, string(user)); err == nil { // others are words for nobody
			shard := key.Shard(shards)
			p.ids[shard] = append(p.ids[shard], key.String())
		}
	}
	for i, missing := 0, shards; missing > 0; i++ {
		user := fmt.Sprintf("probe-%d", i)
		if err := n.post(ctx, 0, probeEvent(user, 0)); err != nil {
			return nil, err
		}
		key, err := n.key(ctx, user)
		if err != nil {
			return nil, err
		}
		if shard := key.Shard(shards); p.probes[shard] == "" {
			p.probes[shard] = user
			missing--
		}
	}
	for shard, ids := range p.ids {
		if len(ids) == 0 {
			return nil, fmt.Errorf("shard %d has no people to look up: want more events, or fewer shards", shard)
		}
	}
	return p, nil
}

// key looks a customer up.
func (n *clusterNodes) key(ctx context.Context, user string) (key graph.NodeKey, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.nodes[0].address+"/v1/profiles/user_id:"+url.PathEscape(user), nil)
	if err != nil {
		return key, err
	}
	text, err := n.ask(request)
	if err != nil {
		return key, err
	}
	var profile struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(text, &profile); err != nil {
		return key, err
	}
	return graph.ParseNodeKey(profile.ID)
}
