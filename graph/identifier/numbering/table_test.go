package main

import (
	"bytes"
	"os"
	"testing"
)

// The table in the source is that of the library in go.mod.
func TestTableIsOfThisLibrary(t *testing.T) {
	want, err := table()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../numbering_table.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("numbering_table.go is not what the phone library says: go generate ./graph/identifier")
	}
}
