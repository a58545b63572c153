package egress_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/egress"
	"github.com/kindred-id/kindred/graph"
)

// An entry of the change feed leaves as a CloudEvent: a line of JSON, indented here, whose id and source name the entry for ever.
func ExampleAppend() {
	ann, visitor := graph.MakeNodeKey(graph.ClassCustomer, 1, 2), graph.MakeNodeKey(graph.ClassCookie, 3, 4)
	merged := feed.Event{
		FeedEntry: graph.FeedEntry{Kind: graph.FeedMerged, ID: ann, Others: []graph.NodeKey{visitor}},
		Shard:     5, Number: 17, At: 1795651502640, Rules: 0x151c1fd0,
	}
	var event bytes.Buffer
	if err := json.Indent(&event, egress.Append(nil, &merged, egress.Source(1795000000000), nil), "", "  "); err != nil {
		log.Fatal(err)
	}
	fmt.Println(&event)

	// Output:
	// {
	//   "specversion": "1.0",
	//   "id": "5-17",
	//   "source": "/kindred/1795000000000",
	//   "type": "kindred.identity.merged",
	//   "subject": "kg0000000000020000000000008",
	//   "time": "2026-11-26T00:05:02.640Z",
	//   "datacontenttype": "application/json",
	//   "data": {
	//     "rules": "00000000151c1fd0",
	//     "winner": "kg0000000000020000000000008",
	//     "losers": [
	//       "k4000000000006000000000000g"
	//     ],
	//     "cause": null
	//   }
	// }
}
