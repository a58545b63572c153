package identifier

import (
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
)

// Every byte is a hex digit or not, as encoding/hex has it.
func TestIsHex(t *testing.T) {
	for b := range 256 {
		c := byte(b)
		want := c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
		if got := isHex([]byte{'0', c, 'f'}); got != want {
			t.Errorf("byte %#x: hex is %t, want %t", b, got, want)
		}
	}
	if !isHex(nil) {
		t.Error("a text of no bytes has a byte that is no hex digit")
	}
}

// BenchmarkIsUUID looks at a thousand different UUIDs, as ingest does: a processor learns one by heart.
func BenchmarkIsUUID(b *testing.B) {
	source := rand.NewChaCha8([32]byte{})
	ids := make([][]byte, 1024)
	for i := range ids {
		id, err := uuid.NewRandomFromReader(source)
		if err != nil {
			b.Fatal(err)
		}
		ids[i] = []byte(id.String())
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if !IsUUID(ids[i%len(ids)]) {
			b.Fatal("a UUID is none")
		}
		i++
	}
}
