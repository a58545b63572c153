package clients

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/node"
)

// server is a Kindred that can be stopped and started again on its data.
type server struct {
	t      *testing.T
	config node.Config
	admin  string     // key of the test; empty: the server asks for none
	mu     sync.Mutex // guards the following
	node   *node.Kindred
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, config: node.Config{Dir: filepath.Join(t.TempDir(), "data"), Listen: "127.0.0.1:0", Shards: 4, Memory: 128 << 20}}
	s.start()
	t.Cleanup(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stop()
	})
	return s
}

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

// start opens the data. Neither it nor stop ends with the context of the test.
func (s *server) start() {
	var err error
	if s.node, err = node.Open(context.Background(), s.config); err != nil {
		s.t.Error(err)
	}
}

func (s *server) stop() {
	if err := s.node.Stop(context.Background()); err != nil {
		s.t.Error(err)
	}
}

// restart stops the server, which answers the requests that it has, and starts it again at another address.
func (s *server) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
	s.start()
}

func (s *server) url() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.node.URL()
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
