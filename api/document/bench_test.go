package document

import (
	"encoding/json"
	"testing"

	"github.com/kindred-id/kindred/graph/score"
	"pgregory.net/rapid"
)

// BenchmarkProfile encodes a profile by hand, and by encoding/json from its struct (decision record 21).
func BenchmarkProfile(b *testing.B) {
	p := rapid.Custom(drawProfile).Example(7)
	text := AppendProfile(nil, &p, score.Control{})
	var d Profile
	if err := json.Unmarshal(text, &d); err != nil {
		b.Fatal(err)
	}
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			text = AppendProfile(text[:0], &p, score.Control{})
		}
	})
	b.Run("struct", func(b *testing.B) { // already made: to make it costs as well
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if _, err := json.Marshal(&d); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkLine encodes a line of an export by hand, and by encoding/json from its struct.
func BenchmarkLine(b *testing.B) {
	p := rapid.Custom(drawProfile).Example(7)
	var lines Lines
	text := lines.Append(nil, &p)
	var d Profile
	if err := json.Unmarshal(text, &d); err != nil {
		b.Fatal(err)
	}
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			text = lines.Append(text[:0], &p)
		}
	})
	b.Run("struct", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if _, err := json.Marshal(&d); err != nil {
				b.Fatal(err)
			}
		}
	})
}
