package storage

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const holderEnv = "KINDRED_TEST_HOLD"

// As a child process the test binary opens a directory and holds it until its input ends.
func TestMain(m *testing.M) {
	if dir := os.Getenv(holderEnv); dir != "" {
		s, err := Open(Options{Dir: dir, Create: true})
		fmt.Println(err)
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
		if err == nil {
			err = s.Close()
		}
		if err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), holderEnv+"="+dir)
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "<nil>\n" {
		t.Fatalf("the other process: %q, %v", line, err)
	}
	_, err = Open(Options{Dir: dir})
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", child.Process.Pid)) {
		t.Errorf("open what process %d has open: %v", child.Process.Pid, err)
	}
	if err := errors.Join(in.Close(), child.Wait()); err != nil {
		t.Fatal(err)
	}

	s, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Dir: dir}); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("open what this process has open: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, fs vfs.FS, path, text string) {
	t.Helper()
	if err := fs.MkdirAll(fs.PathDir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(fs, path, text); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		files  map[string]string
		create bool
		class  error
		says   []string
	}{
		{"nothing there, nothing asked for", nil, false, ErrNotFound, []string{"data"}},
		{"other files", map[string]string{"data/photo.jpg": ""}, true, ErrForeign, []string{"data", "empty"}},
		{"other database", map[string]string{"data/db/000001.log": ""}, true, ErrForeign, []string{"data"}},
		{"newer", map[string]string{"data/KINDRED": formatFileHead + "7\n"}, true, ErrNewerFormat, []string{"format 7", "up to 1", "later"}},
		{"other KINDRED", map[string]string{"data/KINDRED": "dear diary"}, true, ErrForeign, []string{"data/KINDRED"}},
		{"damaged KINDRED", map[string]string{"data/KINDRED": formatFileHead + "x\n"}, true, ErrCorrupt, []string{"data/KINDRED"}},
		{"no database", map[string]string{"data/KINDRED": formatFileHead + "1\n"}, true, ErrCorrupt, []string{"data/db"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			fs := vfs.NewMem()
			for path, text := range c.files {
				put(t, fs, path, text)
			}
			o := testOptions(fs)
			o.Create = c.create
			_, err := Open(o)
			_ = asError(t, err, c.class)
			for _, want := range c.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
			if errors.Is(c.class, ErrForeign) || errors.Is(c.class, ErrNotFound) {
				if _, err := fs.Stat("data/LOCK"); err == nil {
					t.Error("something was written")
				}
			}
		})
	}
}

// A crash at any moment of an initialisation leaves what the next one takes for new, or a whole directory.
func TestInitialisationCutShort(t *testing.T) {
	for _, files := range []map[string]string{
		{"data/LOCK": ""},
		{"data/LOCK": "", "data/lost+found/x": ""},
		{"data/LOCK": "", "data/INITIALISING": ""},
		{"data/LOCK": "", "data/INITIALISING": "", "data/db/000002.log": "half", "data/KINDRED.tmp": "kin"},
	} {
		fs := vfs.NewMem()
		for path, text := range files {
			put(t, fs, path, text)
		}
		s, err := Open(testOptions(fs))
		if err != nil {
			t.Errorf("%v: %v", files, err)
			continue
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := fs.Stat("data/INITIALISING"); err == nil {
			t.Errorf("%v: the mark stayed", files)
		}
	}
}

func FuzzFormatFile(f *testing.F) {
	f.Add([]byte(formatFileHead + "1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if format, err := parseFormat("x", text); err == nil && format < 1 {
			t.Errorf("%q is format %d", text, format)
		}
	})
}
