package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/internal/loopback"
	"github.com/kindred-id/kindred/storage/row"
	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected outputs in testdata")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kindred": main})
}

// Scripts cover every command, every exit code, and the message for every kind of bad input.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata",
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "1")
			env.Setenv("KINDRED_MEMORY", "128M")
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" { // root may write anywhere, so permissions cannot be tested
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":     exitsWith,
			"freeport": freePort,
			"ready":    waitReady,
			"fetch":    fetch,
			"make":     makeInput,
			"untimed":  untimed,
			"allread":  allRead,
			"damage":   damage,
			"head":     firstLines,
			"plant":    plant,
			"unseen":   unseen,
			"nocanary": noCanary,
			"keyid":    keyID,
		},
	})
}

// exitsWith runs a command and checks its exit code: code 3 kindred get email:a@b.c
func exitsWith(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// freePort sets variables to addresses on which no process listens.
func freePort(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		address, err := loopback.Free(1)
		ts.Check(err)
		ts.Setenv(name, address)
	}
}

// waitReady waits until a server is ready.
func waitReady(ts *testscript.TestScript, _ bool, args []string) {
	if err := awaitReady("http://" + args[0]); err != nil {
		ts.Fatalf("%v", err)
	}
}

// fetch writes the body of an answer to standard output, once it contains a text: fetch URL TEXT.
func fetch(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: fetch URL TEXT")
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		res, err := http.Get(args[0])
		ts.Check(err)
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		ts.Check(err)
		if bytes.Contains(body, []byte(args[1])) || time.Now().After(deadline) {
			_, err = ts.Stdout().Write(body)
			ts.Check(err)
			return
		}
	}
}

// keyID sets a variable to the id of the key of a kind, in a list of keys on standard output: keyid VARIABLE KIND.
func keyID(ts *testscript.TestScript, _ bool, args []string) {
	var list document.AccessKeys
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &list))
	for _, key := range list.Keys {
		if key.Kind == args[1] {
			ts.Setenv(args[0], key.ID)
			return
		}
	}
	ts.Fatalf("no key of kind %s", args[1])
}

func awaitReady(url string) error {
	deadline := time.Now().Add(30 * time.Second)
	for {
		res, err := http.Get(url + "/readyz")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is not ready: %w", url, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

const good = `{"type":"track","event":"ok","anonymousId":"good","messageId":"good","timestamp":"2026-01-01T00:00:00Z"}`

// makeInput writes input that does not fit into a script: make KIND FILE. A good event follows it, which must not be
// lost.
func makeInput(ts *testscript.TestScript, _ bool, args []string) {
	event := func(member string) string { return `{"type":"track","event":"x","messageId":"bad",` + member + `}` }
	var line string
	switch kind := args[0]; kind {
	case "large-event":
		line = event(`"userId":"u","properties":{"x":"` + strings.Repeat("x", 10<<20) + `"}`)
	case "deep":
		line = event(`"userId":"u","properties":` + strings.Repeat(`{"a":`, 5000) + `1` + strings.Repeat(`}`, 5000))
	case "bad-utf8":
		line = event("\"userId\":\"\xff\xfe\"")
	case "nul":
		line = event("\"userId\":\"a\x00b\"")
	case "escaped-nul":
		line = event(`"userId":"a\u0000b","anonymousId":"nul"`)
	case "many-identifiers":
		var ids []string
		for i := range 101 {
			ids = append(ids, fmt.Sprintf(`{"id":"e%d@example.com","type":"email"}`, i))
		}
		line = event(`"userId":"u","context":{"externalIds":[` + strings.Join(ids, ",") + `]}`)
	case "hundred-identifiers":
		var ids []string
		for i := range 99 {
			ids = append(ids, fmt.Sprintf(`{"id":"e%d@example.com","type":"email"}`, i))
		}
		line = event(`"userId":"u","context":{"externalIds":[` + strings.Join(ids, ",") + `]}`)
	case "large-identifier":
		line = event(`"userId":"` + strings.Repeat("u", 900<<10) + `","anonymousId":"small"`)
	case "bomb":
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		fmt.Fprintln(z, good)
		zeros := make([]byte, 1<<20)
		for range 256 { // 256 MiB without a line end
			_, err := z.Write(zeros)
			ts.Check(err)
		}
		fmt.Fprintf(z, "\n%s\n", strings.ReplaceAll(good, "good", "last"))
		ts.Check(z.Close())
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), b.Bytes(), 0o600))
		return
	case "cut-gzip":
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		for i := range 50_000 {
			fmt.Fprintln(z, strings.ReplaceAll(good, "good", fmt.Sprint("good", i)))
		}
		ts.Check(z.Close())
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), b.Bytes()[:b.Len()/2], 0o600))
		return
	case "tiny-gzip":
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte("\x1f\x8b"), 0o600))
		return
	case "windows": // a byte order mark, and line ends of two bytes
		text := "\xef\xbb\xbf" + good + "\r\n\r\n" + strings.ReplaceAll(good, "good", "last") + "\r\n"
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
		return
	case "empty":
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), nil, 0o600))
		return
	default:
		ts.Fatalf("unknown kind %q", kind)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(line+"\n"+good+"\n"), 0o600))
}

// untimed writes the summary of the last command without the fields that depend on the clock: untimed FILE.
func untimed(ts *testscript.TestScript, _ bool, args []string) {
	var summary map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &summary))
	for _, name := range []string{"seconds", "events_per_second"} {
		if v, ok := summary[name].(float64); !ok || v <= 0 {
			ts.Fatalf("%s is %v", name, summary[name])
		}
		delete(summary, name)
	}
	delete(summary, "dropped")
	text, err := json.MarshalIndent(summary, "", "  ")
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), append(text, '\n'), 0o600))
}

// allRead checks that a summary accounts for every line that was read, and that there were some.
func allRead(ts *testscript.TestScript, _ bool, args []string) {
	var s struct {
		Read, Accepted, Duplicates, Rejected int64
		Without                              int64 `json:"without_identifier"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &s))
	if s.Read == 0 || s.Read != s.Accepted+s.Duplicates+s.Rejected+s.Without {
		ts.Fatalf("not every line is accounted for: %+v", s)
	}
}

// damage overwrites the middle of the largest table of a data directory that does not hold the log: deleted parts of the
// log are never read, so damage there would go unnoticed.
func damage(ts *testscript.TestScript, _ bool, args []string) {
	dir := filepath.Join(ts.MkAbs(args[0]), "db")
	db, err := pebble.Open(dir, &pebble.Options{ReadOnly: true})
	ts.Check(err)
	levels, err := db.SSTables()
	ts.Check(errors.Join(err, db.Close()))
	var largest string
	var size int64
	for _, level := range levels {
		for i := range level {
			if t := &level[i]; !t.Virtual && int64(t.Size) > size && row.KeySpace(t.Smallest.UserKey) != row.SpaceLog {
				largest, size = filepath.Join(dir, fmt.Sprintf("%06d.sst", uint64(t.FileNum))), int64(t.Size)
			}
		}
	}
	f, err := os.OpenFile(largest, os.O_RDWR, 0)
	ts.Check(err)
	defer f.Close()
	// Timelines begin two thirds into the table. Opening the directory does not read them.
	_, err = f.WriteAt(bytes.Repeat([]byte{0x5a}, 64), size/3*2)
	ts.Check(err)
}

// firstLines copies the first lines of a file: head N FROM TO.
func firstLines(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	text := ts.ReadFile(args[1])
	var b strings.Builder
	for line := range strings.Lines(text) {
		if n--; n < 0 {
			break
		}
		_, _ = io.WriteString(&b, line)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(b.String()), 0o600))
}
