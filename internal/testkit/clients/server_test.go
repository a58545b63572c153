package clients

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
)

// server is a process that can be killed and started again on its data.
type server struct {
	t       *testing.T
	program string
	data    string
	admin   string     // key of the test; empty: the server asks for none
	mu      sync.Mutex // guards the following
	process *exec.Cmd
	address string // the URL of the process
}

// newServer starts a server on a new directory; it ends with the test.
func newServer(t *testing.T) *server {
	t.Helper()
	program, err := built()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, program: program, data: filepath.Join(t.TempDir(), "data")}
	s.start()
	t.Cleanup(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if err := s.process.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := s.process.Wait(); err != nil {
			t.Errorf("stop the server: %v", err)
		}
	})
	return s
}

// built builds kindred, once, and returns its path.
var built = sync.OnceValues(func() (string, error) {
	program, err := filepath.Abs("../../../.clients/kindred")
	if err != nil {
		return "", err
	}
	if out, err := exec.Command("go", "build", "-o", program, "../../../cmd/kindred").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return program, nil
})

// keyed makes keys, so that the server asks for one, and returns a write key for events of a source.
func (s *server) keyed(t *testing.T, source string) string {
	t.Helper()
	c, err := client.New(s.url(), nil)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := c.Admin.CreateKey(t.Context(), document.AccessKeyRequest{Name: "test", Kind: "admin"})
	if err != nil {
		t.Fatal(err)
	}
	s.admin = admin.Key
	c.SetKey(admin.Key)
	write, err := c.Admin.CreateKey(t.Context(), document.AccessKeyRequest{Name: "library", Kind: "write", Source: source})
	if err != nil {
		t.Fatal(err)
	}
	return write.Key
}

// start starts the process, and waits until it serves.
func (s *server) start() {
	s.process = exec.Command(s.program, "serve", "--data", s.data, "--listen", "127.0.0.1:0", "--shards", "4", "--memory", "128MiB", "--log-format", "json")
	log, err := s.process.StderrPipe()
	if err == nil {
		err = s.process.Start()
	}
	if err != nil {
		s.t.Error(err)
		return
	}
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		var line struct{ Msg, URL string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil || line.Msg != "serving" {
			continue
		}
		s.address = line.URL
		go func() { _, _ = io.Copy(io.Discard, log) }() // until the process ends
		return
	}
	s.t.Errorf("the server did not start: %v", s.process.Wait())
}

// killAndStart ends the server with kill -9, whatever it has in its hands, and starts it again, at another address.
func (s *server) killAndStart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.process.Process.Kill(); err != nil {
		s.t.Error(err)
	}
	_ = s.process.Wait() // it was killed
	s.start()
}

func (s *server) url() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address
}

// get asks the server, which may be about to stop, and again once it is back. Nobody is known: into is left as it is.
func (s *server) get(t *testing.T, path string, into any) {
	t.Helper()
	for start := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		status, body, err := s.try(path)
		switch {
		case err == nil && status == http.StatusNotFound:
			return
		case err == nil && status == http.StatusOK:
			if err := json.Unmarshal(body, into); err != nil {
				t.Fatalf("%s: %v\n%s", path, err, body)
			}
			return
		case err == nil && status != http.StatusServiceUnavailable, time.Since(start) > arrival:
			t.Fatalf("%s: %d %v\n%s", path, status, err, body)
		}
	}
}

func (s *server) try(path string) (status int, body []byte, err error) {
	res, err := s.send(http.MethodGet, path, nil)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	return res.StatusCode, body, err
}

func (s *server) send(method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequest(method, s.url()+path, body)
	if err != nil {
		return nil, err
	}
	if s.admin != "" {
		req.Header.Set("Authorization", "Bearer "+s.admin)
	}
	return http.DefaultClient.Do(req)
}

func (s *server) post(t *testing.T, path, body string) {
	t.Helper()
	res, err := s.send(http.MethodPost, path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
}
