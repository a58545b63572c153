package row

import (
	"github.com/kindred-id/kindred/storage/dedupe"
)

// SpaceSeen holds the memory of duplicates: package dedupe defines its rows.
const SpaceSeen Space = dedupe.Space

var seenKind = &kind{
	space: SpaceSeen, name: "seen",
	key:      []field{shardField, {"kind", 1}, {"generation", 8}, {"run", 4}, {"block", 4}},
	about:    "blocks of hashes, filters",
	checkKey: dedupe.CheckKey,
	check:    func(_ *Decoder, key, value []byte) error { return dedupe.CheckRow(key, value) },
}
