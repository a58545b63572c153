package variant

import (
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A program with a moved clock says the time of the clock, before and after it is moved, and measures time as before.
func TestMovedClock(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds Go's library")
	}
	program, err := Build(t.Context(), t.TempDir(), "internal/testkit/variant/saytime", MovedClock()...)
	if err != nil {
		t.Fatal(err)
	}
	clock, err := NewClock(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), program)
	run.Env = append(run.Environ(), clock.Env())
	in, err := run.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	for _, by := range []time.Duration{0, time.Hour, -time.Hour} {
		if err := clock.Move(by); err != nil {
			t.Fatal(err)
		}
		if _, err := in.Write([]byte{'\n'}); err != nil {
			t.Fatal(err)
		}
		said := make([]byte, len(time.RFC3339Nano)*2)
		n, err := out.Read(said)
		if err != nil {
			t.Fatal(err)
		}
		wall, since, _ := strings.Cut(strings.TrimSpace(string(said[:n])), " ")
		at, err := time.Parse(time.RFC3339, wall)
		if err != nil {
			t.Fatal(err)
		}
		// Ten minutes are for the machine; an hour is what the clock was moved by.
		if off := at.Sub(time.Now().Add(by)).Abs(); off > 10*time.Minute {
			t.Errorf("moved by %v: the program's clock is off by %v", by, off)
		}
		if passed, err := time.ParseDuration(since); err != nil || passed < 0 || passed > 10*time.Minute {
			t.Errorf("moved by %v: the program measures %v since it began (%v)", by, passed, err)
		}
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := run.Wait(); err != nil {
		t.Fatal(err)
	}
}

// An edit of a source that has changed fails, and names the file and what it looks for.
func TestBuildRefuses(t *testing.T) {
	_, err := Build(t.Context(), t.TempDir(), "cmd/kindred", Edit{"go.mod", "no such line", "x"})
	if err == nil || !strings.Contains(err.Error(), `"no such line" 0 times`) {
		t.Errorf("%v", err)
	}
}
