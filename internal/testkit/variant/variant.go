// Package variant builds kindred with edits of its sources, and of Go's own, for what no flag of a product should do: a clock that is
// moved while it runs, and a program of the next version.
package variant

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// An Edit puts text into the place of another one, which a file has once. A file without Old is a new one. File is relative to the
// module's root, or to that of Go's library if it begins with "std/".
type Edit struct{ File, Old, New string }

// Build builds a command of the module with edits, and returns the path of the program, which is in a folder of the caller. It takes
// as long as building everything that imports what is edited, or less if it was built in that folder before.
func Build(ctx context.Context, folder, command string, edits ...Edit) (program string, err error) {
	module, err := output(ctx, "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return "", err
	}
	library, err := output(ctx, "env", "GOROOT")
	if err != nil {
		return "", err
	}
	replace := map[string]string{} // by path, the file that takes its place
	for i := range edits {
		path := filepath.Join(module, filepath.FromSlash(edits[i].File))
		if of, ok := strings.CutPrefix(edits[i].File, "std/"); ok {
			path = filepath.Join(library, "src", filepath.FromSlash(of))
		}
		edited := cmp.Or(replace[path], path) // by an edit before
		text, err := edits[i].apply(edited)
		if err != nil {
			return "", err
		}
		replace[path] = filepath.Join(folder, fmt.Sprintf("%d.go", i))
		if err := os.WriteFile(replace[path], text, 0o600); err != nil {
			return "", err
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	table := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(table, overlay, 0o600); err != nil {
		return "", err
	}
	program = filepath.Join(folder, filepath.Base(command))
	_, err = output(ctx, "build", "-overlay", table, "-o", program, filepath.Join(module, filepath.FromSlash(command)))
	return program, err
}

// apply returns the text of a file with the edit.
func (e *Edit) apply(path string) ([]byte, error) {
	if e.Old == "" {
		return []byte(e.New), nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if n := bytes.Count(text, []byte(e.Old)); n != 1 {
		return nil, fmt.Errorf("%s has %q %d times, want once: the edit has to follow the source", path, e.Old, n)
	}
	return bytes.Replace(text, []byte(e.Old), []byte(e.New), 1), nil
}

// output runs the go command.
func output(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, errs.Bytes())
	}
	return strings.TrimSpace(out.String()), nil
}
