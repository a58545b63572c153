package dedupe

import (
	"bytes"
	"slices"
	"testing"
)

func sampleKeys() [][]byte {
	return [][]byte{ // ascending
		rowKey{shard: 7, kind: addedRow, generation: 9, block: 3}.append(nil),
		rowKey{shard: 7, kind: runRow, generation: 2, run: 1, block: 3}.append(nil),
		rowKey{shard: 7, kind: idRows + filterRow, generation: 2, run: 1}.append(nil),
		rowKey{shard: 8, kind: addedRow}.append(nil),
	}
}

func TestKeys(t *testing.T) {
	keys := sampleKeys()
	if !slices.IsSortedFunc(keys, bytes.Compare) {
		t.Errorf("not ascending: % x", keys)
	}
	for _, key := range keys {
		if err := CheckKey(key); err != nil {
			t.Errorf("% x: %v", key, err)
		}
		noKind := slices.Clone(key)
		noKind[3] = byte(idRows + rowKinds)
		for _, bad := range [][]byte{key[:len(key)-1], append(slices.Clone(key), 0), append([]byte{Space + 1}, key[1:]...), noKind} {
			if CheckKey(bad) == nil {
				t.Errorf("% x was taken", bad)
			}
		}
	}
}

func FuzzKey(f *testing.F) {
	for _, key := range sampleKeys() {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key []byte) {
		if k, err := parseKey(key); err == nil && !bytes.Equal(k.append(nil), key) {
			t.Errorf("% x was read, and written as % x", key, k.append(nil))
		}
	})
}
