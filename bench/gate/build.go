package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// programs are the test programs of both sides. If base is empty, the base has no benchmarks that can be built.
type programs struct {
	base, change string
	same         bool // the two are equal byte for byte
}

// buildPair builds the benchmarks of the change against the base's code and against the change's (B1).
func buildPair(ctx context.Context, s settings, commit, temp string, out io.Writer) (p programs, err error) {
	top, err := git(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return p, err
	}
	tree := filepath.Join(temp, "tree")
	if _, err := git(ctx, "worktree", "add", "--quiet", "--detach", tree, commit); err != nil {
		return p, err
	}
	defer func() {
		cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		_, gone := git(cleaning, "worktree", "remove", "--force", tree)
		err = errors.Join(err, gone)
	}()
	p = programs{base: filepath.Join(temp, "base.test"), change: filepath.Join(temp, "change.test")}
	if err := build(ctx, top, s.folder, p.change); err != nil {
		return p, fmt.Errorf("build the change: %w", err)
	}
	p.base, err = buildBase(ctx, top, tree, s.folder, p.base, out)
	if err == nil && p.base != "" {
		p.same, err = equal(p.base, p.change)
	}
	return p, err
}

// buildBase builds the benchmarks of the module at top in the base's tree, else the base's own. It returns the program; none if
// the base has no benchmarks of its own.
func buildBase(ctx context.Context, top, tree, folder, program string, out io.Writer) (string, error) {
	ours, theirs := filepath.Join(top, folder), filepath.Join(tree, folder)
	_, absent := os.Stat(theirs)
	if err := replace(theirs, ours); err != nil {
		return "", err
	}
	failed := build(ctx, tree, folder, program)
	switch {
	case failed == nil:
		return program, nil
	case absent != nil:
		fmt.Fprintf(out, "bench-gate: the base has no %s, and the change's does not build there: every layer is new\n%v\n", folder, failed)
		return "", nil
	}
	fmt.Fprintf(out, "bench-gate: the change's %s does not build against the base, which runs its own\n%v\n", folder, failed)
	if _, err := git(ctx, "-C", tree, "clean", "--quiet", "-dfx", "--", folder); err != nil {
		return "", err
	}
	if _, err := git(ctx, "-C", tree, "checkout", "--quiet", "HEAD", "--", folder); err != nil {
		return "", err
	}
	if err := build(ctx, tree, folder, program); err != nil {
		return "", fmt.Errorf("build the base: %w", err)
	}
	return program, nil
}

// replace puts a copy of a folder's files in place of another folder's.
func replace(to, from string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return os.CopyFS(to, os.DirFS(from))
}

// build makes the test program of a folder in a module, as releases are built: without C, and without paths.
func build(ctx context.Context, module, folder, program string) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-trimpath", "-buildvcs=false", "-o", program, "./"+filepath.ToSlash(folder))
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(said))
	}
	return nil
}

func equal(a, b string) (bool, error) {
	first, err := os.ReadFile(a)
	if err != nil {
		return false, err
	}
	second, err := os.ReadFile(b)
	return bytes.Equal(first, second), err
}
