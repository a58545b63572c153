package storage

import (
	"path/filepath"
	"runtime"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// yieldingFS yields the processor after each piece of a table that is written. Flushes and compactions compute for
// long, and Go lets a goroutine run for up to 10 ms while others wait: an event passes several goroutines on its way
// to a profile, and would wait at each. docs/decisions/0009-tables-give-way.md has the measurements.
type yieldingFS struct{ vfs.FS }

// tables holds the extensions of the files that flushes and compactions write.
var tables = map[string]bool{".sst": true, ".blob": true}

// Create implements vfs.FS.
func (f yieldingFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, category)
	if err != nil || !tables[filepath.Ext(name)] {
		return file, err
	}
	return yieldingFile{file}, nil
}

// Unwrap implements vfs.FS.
func (f yieldingFS) Unwrap() vfs.FS { return f.FS }

type yieldingFile struct{ vfs.File }

// Write implements vfs.File.
func (f yieldingFile) Write(p []byte) (int, error) {
	runtime.Gosched()
	return f.File.Write(p)
}
