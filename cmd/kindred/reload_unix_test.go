//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// SIGHUP takes over what may change, names the rest in one warning, and an invalid file changes nothing and says where it is wrong.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "kindred.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("log-level: info\nmemory: 128MiB\n")
	cmd := exec.Command("kindred", "serve", "--data", filepath.Join(dir, "data"), "--shards", "1", "--listen", "127.0.0.1:0", "--log-format", "json", "--config", file)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	type line struct{ Level, Msg, Changed, Settings, Error string }
	log := bufio.NewScanner(stderr)
	next := func(msg string) (l line) { // the next line with this message
		t.Helper()
		for log.Scan() {
			if l = (line{}); json.Unmarshal(log.Bytes(), &l) == nil && strings.HasPrefix(l.Msg, msg) {
				return l
			}
		}
		t.Fatalf("the server ended without %q", msg)
		return l
	}
	hangUp := func(text string) {
		t.Helper()
		write(text)
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	next("serving")
	hangUp("log-level: warn\nmemory: 1GiB\nfeed: true\nkey-rate: 7\nkey-rtae: 8\n")
	if l := next("the settings can't be used"); l.Level != "ERROR" || !strings.Contains(l.Error, "kindred.yaml:5: key-rtae: unknown setting") {
		t.Errorf("%+v", l)
	}
	hangUp("memory: 1GiB\nfeed: true\nkey-rate: 7\nallowed-hosts: [kindred.example]\nunknown-key: quarantine\n")
	if l := next("settings read again"); l.Changed != `allowed-hosts: (none) → ["kindred.example"]; key-rate: 0 → 7; unknown-key: reject → quarantine` {
		t.Errorf("%+v", l)
	}
	if l := next("settings have changed"); l.Level != "WARN" || l.Settings != "feed, memory" {
		t.Errorf("%+v", l)
	}
	hangUp("memory: 128MiB\nlog-level: debug\n")
	if l := next("settings read again"); l.Changed != `allowed-hosts: ["kindred.example"] → (none); key-rate: 7 → 0; log-level: INFO → DEBUG; unknown-key: quarantine → reject` {
		t.Errorf("%+v", l)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	next("stopped")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
