package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// asGate makes the test program run as the gate, so that a test sees its exit code.
const asGate = "KINDRED_AS_GATE"

func TestMain(m *testing.M) {
	if os.Getenv(asGate) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// newRepository makes a repository with one commit, and makes it the working directory.
func newRepository(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, v := range []string{"GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"} {
		t.Setenv(v, "test@example.com")
	}
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	run1(t, "git", "init", "--quiet", "--initial-branch=main")
	commit(t, files)
}

// commit writes files and commits all, and returns the commit.
func commit(t *testing.T, files map[string]string) string {
	t.Helper()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run1(t, "git", "add", "-A")
	run1(t, "git", "commit", "--quiet", "--allow-empty", "-m", "test: write")
	return run1(t, "git", "rev-parse", "HEAD")
}

func run1(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// The base is where the change left the main branch, or the commit before.
func TestBase(t *testing.T) {
	newRepository(t, nil)
	want := func(what, commit string) {
		t.Helper()
		got, err := chooseBase(t.Context(), "")
		if err != nil || got.commit != commit {
			t.Errorf("%s: base %v, %v, want %s", what, got, err, commit)
		}
	}
	if _, err := chooseBase(t.Context(), ""); !errors.Is(err, errFirst) {
		t.Errorf("the first commit: %v", err)
	}
	first := run1(t, "git", "rev-parse", "HEAD")
	second := commit(t, map[string]string{"a": "1"})
	want("the main branch", first)
	if err := os.WriteFile("a", []byte("2"), 0o600); err != nil {
		t.Fatal(err)
	}
	want("the main branch with edits", second)
	run1(t, "git", "checkout", "--quiet", "-b", "change")
	want("a branch without commits, with edits", second)
	commit(t, nil)
	commit(t, nil)
	want("a branch of two commits", second)
	if got, err := chooseBase(t.Context(), "HEAD~2"); err != nil || got.commit != second {
		t.Errorf("given: %v, %v", got, err)
	}
	if _, err := chooseBase(t.Context(), "nowhere"); err == nil {
		t.Error("a base that does not exist was taken")
	}
}

// A shallow clone fetches its parent, or fails: it is not taken for the first commit (B5).
func TestBaseOfShallowClone(t *testing.T) {
	newRepository(t, nil)
	first := run1(t, "git", "rev-parse", "HEAD")
	commit(t, nil)
	origin, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	clone := filepath.Join(t.TempDir(), "clone")
	run1(t, "git", "clone", "--quiet", "--depth=1", "file://"+filepath.ToSlash(origin), clone)
	t.Chdir(clone)
	run1(t, "git", "remote", "set-url", "origin", "file:///nowhere")
	if _, err := chooseBase(t.Context(), ""); err == nil || errors.Is(err, errFirst) || !strings.Contains(err.Error(), "--unshallow") {
		t.Errorf("without its origin: %v", err)
	}
	run1(t, "git", "remote", "set-url", "origin", "file://"+filepath.ToSlash(origin))
	if got, err := chooseBase(t.Context(), ""); err != nil || got.commit != first {
		t.Errorf("with its origin: %v, %v, want %s", got, err, first)
	}
}

func TestFirstCommitPasses(t *testing.T) {
	newRepository(t, nil)
	var out bytes.Buffer
	if err := run(t.Context(), settings{}, &out); err != nil || !strings.Contains(out.String(), "first commit") {
		t.Errorf("%v: %s", err, &out)
	}
}

// A module that is nothing but layers and their code.
const (
	tinyBenchmarks = `package layer
import ("syscall"; "testing")
func processor() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil { panic(err) }
	return u.Utime.Nano() + u.Stime.Nano()
}
func BenchmarkLayer(b *testing.B) {
	for name, fn := range layers {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			since := processor()
			for b.Loop() { fn() }
			b.ReportMetric(float64(processor()-since)/float64(b.N), "cpu-ns/op")
		})
	}
}
`
	tinyLayers = `package layer
import "tiny/code"
var layers = map[string]func(){"even/n=1": func() { code.Spin(2000) }, "slow/n=2": code.Slow, "lean": code.Lean, "leaving": func() {}}
`
	tinyCode = `package code
var sum uint64
var Kept []byte
func Spin(n int) { for i := range n { sum = sum*31 + uint64(i) } }
func Slow() { Spin(2000) }
func Lean() { Spin(2000) }
`
)

// A layer that takes twice as long and a layer that begins to allocate are found, and nothing else. The change's benchmarks
// do not build against the base, which runs its own.
func TestSlowerChangeFails(t *testing.T) {
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("it measures for half a minute")
	}
	newRepository(t, map[string]string{
		"go.mod": "module tiny\n\ngo 1.26\n", "code/code.go": tinyCode,
		"layer/a_test.go": tinyBenchmarks, "layer/b_test.go": tinyLayers,
	})
	commit(t, map[string]string{
		"code/code.go": strings.NewReplacer("Slow() { Spin(2000)", "Slow() { Spin(4000)", "Lean() {", "Lean() { Kept = make([]byte, 64);").Replace(tinyCode) +
			"func Fresh() {}\n",
		"layer/b_test.go": strings.Replace(tinyLayers, `"leaving": func() {}`, `"fresh": code.Fresh`, 1),
	})
	said, err := gate(t, "-folder", "layer", "-benchtime", "20ms")
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("the gate ended with %v, want exit code 1", err)
	}
	for _, line := range []string{
		`even/n=1 .* ok`, `slow/n=2 .* SLOWER`, `lean .* 0 → 1 +ALLOCATES`, `fresh +new`, `leaving +gone`, `the base, which runs its own`, `the change costs more.*`,
	} {
		if !regexp.MustCompile(`(?m)` + line + `$`).MatchString(said) {
			t.Errorf("no line %q", line)
		}
	}
	if left := run1(t, "git", "worktree", "list", "--porcelain"); strings.Count(left, "worktree ") != 1 {
		t.Errorf("a worktree is left:\n%s", left)
	}
	t.Log(said)
}

// A change of words alone makes the same program, and is not measured.
func TestEqualProgramsPass(t *testing.T) {
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("it builds two programs")
	}
	newRepository(t, map[string]string{
		"go.mod": "module tiny\n\ngo 1.26\n", "code/code.go": tinyCode, "layer/a_test.go": tinyBenchmarks, "layer/b_test.go": tinyLayers,
	})
	commit(t, map[string]string{"README.md": "words"})
	if said, err := gate(t, "-folder", "layer"); err != nil || !strings.Contains(said, "the same, byte for byte") {
		t.Errorf("%v: %s", err, said)
	}
}

// gate runs the gate as a process of its own in the working directory.
func gate(t *testing.T, args ...string) (string, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), self, args...)
	cmd.Env = append(os.Environ(), asGate+"=1")
	out, err := cmd.CombinedOutput()
	return string(out), err
}
