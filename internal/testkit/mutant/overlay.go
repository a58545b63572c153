package mutant

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// Overlaid reports whether this build has the mutated sources, so that Select has something to select.
func Overlaid() bool { return overlaid }

// Rerun runs the calling test again, in a build of its package with the mutated sources. There Overlaid is true.
func Rerun(t *testing.T) {
	t.Helper()
	overlay, err := writeOverlay(t.TempDir(), everything())
	if err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-vet=off", "-overlay", overlay, "-v", "-run", "^"+t.Name()+"$", ".")
	if deadline, ok := t.Deadline(); ok { // the inner test ends first, and says where
		run.Args = slices.Insert(run.Args, 2, "-timeout="+time.Until(deadline).String())
	}
	run.Stdout, run.Stderr = t.Output(), t.Output()
	if err := run.Run(); err != nil {
		t.Fatalf("%v: %v", run, err)
	}
}

// everything is all mutants: they are in one build.
func everything() []Mutant { return slices.Concat(All(), Cluster(), Feed()) }

// writeOverlay writes the mutated copies into a folder, and returns the file for `go test -overlay`.
func writeOverlay(folder string, mutants []Mutant) (string, error) {
	module, err := moduleRoot()
	if err != nil {
		return "", err
	}
	src, err := readSources(module)
	if err != nil {
		return "", err
	}
	copies, err := src.apply(mutants)
	if err != nil {
		return "", err
	}
	copies["internal/testkit/mutant/overlaid.go"] = []byte("package mutant\n\nconst overlaid = true\n")
	var overlay struct{ Replace map[string]string }
	overlay.Replace = map[string]string{}
	for name, text := range copies {
		path := filepath.Join(folder, fmt.Sprintf("%d.go", len(overlay.Replace)))
		overlay.Replace[filepath.Join(module, filepath.FromSlash(name))] = path
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return "", err
		}
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "overlay.json")
	return path, os.WriteFile(path, text, 0o600)
}

// moduleRoot is the folder of go.mod, at or above the working directory.
func moduleRoot() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
		if filepath.Dir(folder) == folder {
			return "", errors.New("go.mod: not found at or above the working directory; run within the module")
		}
		folder = filepath.Dir(folder)
	}
}
