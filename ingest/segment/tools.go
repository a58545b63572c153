package segment

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"

	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/internal/jsonscan"
	"github.com/kindred-id/kindred/internal/jsontext"
)

// tools are what all parts of a decoder share: memory for texts, and the report of what is left out.
type tools struct {
	texts
	drops
}

// texts makes texts and digests of values. Its results are in the arena, or a slice of the value, and valid until the
// arena's next Reset.
type texts struct {
	arena jsonscan.Arena
	hash  hash.Hash
	side  jsonscan.Scanner // for a value within the event
}

// name returns the text of a string; it drops any other value.
func (t *tools) name(field string, v jsonscan.Value) []byte {
	if v.Kind > jsonscan.Null && v.Kind != jsonscan.String {
		t.dropKind(field, "a string", v.Kind)
		return nil
	}
	return t.text(v)
}

// text returns the text of a string, or a number's own text; nil for any other value.
func (t *texts) text(v jsonscan.Value) []byte {
	switch v.Kind {
	case jsonscan.String:
		if v.Escaped {
			return t.arena.Unescape(v.Inside())
		}
		return v.Inside()
	case jsonscan.Number:
		return v.Raw
	}
	return nil
}

// bounded returns id, or its hash if it is longer than MaxIDBytes.
func (t *texts) bounded(id []byte) []byte {
	if len(id) <= MaxIDBytes {
		return id
	}
	return t.hashed(id)
}

func (t *texts) hashed(id []byte) []byte {
	t.hash.Reset()
	t.hash.Write(id)
	return t.digest("sha256:", sha256.Size)
}

// digest writes the first bytes of the hash in hexadecimal, after a prefix.
func (t *texts) digest(prefix string, size int) []byte {
	room := t.arena.Reserve(len(prefix) + 2*sha256.Size + sha256.Size)
	sum := t.hash.Sum(room[len(prefix)+2*sha256.Size : len(prefix)+2*sha256.Size])
	text := append(room, prefix...)
	return t.arena.Keep(hex.AppendEncode(text, sum[:size]))
}

// idText returns the text of an id: the canonical text of a number, or a string as it was sent.
func (t *texts) idText(v jsonscan.Value) []byte {
	if v.Kind != jsonscan.Number || isInteger(v.Raw) {
		return t.text(v)
	}
	text, _ := appendNumber(t.arena.Reserve(2*identifier.MaxBytes+len(v.Raw)), v.Raw)
	return t.arena.Keep(text)
}

// tidied returns JSON text without white space between tokens, and with the replacements of Mend.
func (t *texts) tidied(raw []byte) []byte {
	raw = t.arena.Keep(jsontext.AppendCompact(t.arena.Reserve(len(raw)), raw))
	return t.mended(raw)
}

// mended returns JSON text with the replacements of Mend.
func (t *texts) mended(raw []byte) []byte {
	if !jsonscan.Broken(raw) {
		return raw
	}
	return t.arena.Keep(jsonscan.Mend(t.arena.Reserve(len(raw)), raw))
}
