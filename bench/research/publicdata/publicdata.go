// Package publicdata finds the public data sets that tests of the scores measure against. They are third-party data and not
// in the repository. They are in the folder KINDRED_SHARED_DATA, or else in a folder shared/data beside the repository or
// beside one of its parent folders.
package publicdata

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Variable is the environment variable that names the folder.
const Variable = "KINDRED_SHARED_DATA"

// marker is a file that the folder holds.
const marker = "cdnow_sample.csv"

// ErrMissing is returned when the folder is not found.
var ErrMissing = errors.New("no public data")

// Find searches for the folder from the working directory upwards.
func Find() (string, error) {
	if dir := os.Getenv(Variable); dir != "" {
		if !holds(dir) {
			return "", fmt.Errorf("%s=%s: there is no %s in it", Variable, dir, marker)
		}
		return dir, nil
	}
	from, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for at := from; ; at = filepath.Dir(at) {
		if dir := filepath.Join(at, "shared", "data"); holds(dir) {
			return dir, nil
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	return "", fmt.Errorf("%w: no folder shared/data with %s in %s or above it; name it in %s", ErrMissing, marker, from, Variable)
}

// Dir returns the folder. If it is missing, the test is skipped, except on CI (CI=true), where it fails, so that a missing
// measurement is noticed.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := Find()
	if errors.Is(err, ErrMissing) && os.Getenv("CI") != "true" {
		t.Skipf("NOT MEASURED: %v", err)
	}
	if err != nil {
		t.Fatalf("NOT MEASURED: %v", err)
	}
	return dir
}

// Open opens a file of the folder and closes it when the test ends.
func Open(t testing.TB, name string) *os.File {
	t.Helper()
	f, err := os.Open(filepath.Join(Dir(t), name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func holds(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, marker))
	return err == nil
}
