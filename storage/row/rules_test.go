package row

import (
	"errors"
	"testing"

	"github.com/kindred-id/kindred/storage"
)

func TestRulesDocument(t *testing.T) {
	s := storage.NewMemStore()
	if _, err := ReadRules(s); !errors.Is(err, storage.ErrNotFound) {
		t.Fatalf("%v, want storage.ErrNotFound", err)
	}
	want := RulesDocument{Version: 1<<63 + 5, Text: []byte("name: acme\n")}
	var b storage.Batch
	if err := want.Put(&b); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(&b); err != nil {
		t.Fatal(err)
	}
	got, err := ReadRules(s)
	if err != nil || got.Version != want.Version || string(got.Text) != string(want.Text) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	row := appendRulesDocument(nil, &want)
	for i := range row {
		bad := append([]byte(nil), row...)
		bad[i] ^= 1
		if _, err := decodeRulesDocument(bad); err == nil {
			t.Errorf("a row with byte %d changed was read", i)
		}
		if _, err := decodeRulesDocument(row[:i]); err == nil {
			t.Errorf("the first %d bytes of a row were read", i)
		}
	}
	huge := RulesDocument{Text: make([]byte, rulesTextMax+1)}
	if huge.Put(&b) == nil {
		t.Error("rules without bound were taken")
	}
}
