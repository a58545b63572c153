package rulesfile_test

import (
	"fmt"
	"log"

	"github.com/kindred-id/kindred/node/rulesfile"
)

// Rules are data: a file extends a preset, and says what differs. Changes lists the differences of two files, which is what a
// start with new rules logs.
func ExampleChanges() {
	preset, err := rulesfile.Load("default")
	if err != nil {
		log.Fatal(err)
	}
	shop, err := rulesfile.Parse("shop.yaml", []byte(`
extends: default
order: latest_wins
limits:
  email: 2
  loyalty_card: 1
namespaces:
  loyalty_card: {class: customer}
`))
	if err != nil {
		log.Fatal(err)
	}
	for _, change := range rulesfile.Changes(preset, shop) {
		fmt.Println(change)
	}

	_, err = rulesfile.Parse("shop.yaml", []byte("limits:\n  email: two\n"))
	fmt.Println(err)

	// Output:
	// name: shop, was default
	// order: latest_wins, was keep_first
	// limits.email: 2, was 5
	// limits.loyalty_card: 1, was not set
	// namespaces.loyalty_card: {class: customer, normalise: trim}, was not set
	// shop.yaml:2: limits.email: want a number of 1 or more, {max: 5, within: 7d}, or none; got "two"
}
