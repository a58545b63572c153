package storage

import (
	"io"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Only files of tables yield, and yielding does not change the data.
func TestYieldingFiles(t *testing.T) {
	mem := vfs.NewMem()
	f := yieldingFS{mem}
	for name, yields := range map[string]bool{"000001.sst": true, "000002.blob": true, "000003.log": false, "MANIFEST-000004": false} {
		file, err := f.Create(name, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if _, is := file.(yieldingFile); is != yields {
			t.Errorf("%s gives way: %t, want %t", name, is, yields)
		}
		if n, err := file.Write([]byte("text")); n != 4 || err != nil {
			t.Errorf("write to %s: %d, %v", name, n, err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		read, err := mem.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(read); string(text) != "text" || err != nil {
			t.Errorf("%s holds %q, %v", name, text, err)
		}
		if err := read.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Create("missing/000005.sst", vfs.WriteCategoryUnspecified); err == nil {
		t.Error("a table in a directory that is not there was made")
	}
}
