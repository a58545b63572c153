package identifier

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"
)

// sha256Bytes is the length of a SHA-256 in hexadecimal.
const sha256Bytes = 2 * sha256.Size

// isSHA256 reports whether a value has the form of a SHA-256.
func isSHA256(value []byte) bool { return len(value) == sha256Bytes && isHex(value) }

// appendSHA256 appends the SHA-256 of a normalised value, in hexadecimal.
func appendSHA256(dst, normal []byte) []byte {
	sum := sha256.Sum256(normal)
	return hex.AppendEncode(dst, sum[:])
}

// hashedWords are the words that name nobody, by their SHA-256. Systems hash a field without looking at it, so the hash of an
// empty text is the most common one of all.
var hashedWords = sync.OnceValue(func() map[string]*Word {
	hashes := make(map[string]*Word)
	add := func(text string, w *Word) { hashes[string(appendSHA256(nil, []byte(text)))] = w }
	for _, w := range allWords {
		add(w.Text, w)
	}
	for text, w := range map[string]*Word{
		"": ruleEmpty, " ": ruleEmpty, "0": ruleZeros, "-": ruleZeros, "NULL": words.words["null"], "None": words.words["none"],
		"(not set)": words.words["notset"], "n/a": words.words["na"], "N/A": words.words["na"], "not set": words.words["notset"],
		"NaN": words.words["nan"], "[object Object]": ruleObject, "[object object]": ruleObject, "{{email}}": ruleTemplate,
	} {
		add(text, w)
	}
	return hashes
})

// hashedWord returns the word that a hash was made of; nil if it is no word's.
func hashedWord(value []byte) *Word {
	if len(value) != sha256Bytes {
		return nil
	}
	return hashedWords()[string(value)]
}
