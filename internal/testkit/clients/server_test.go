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

	"github.com/kindred-id/kindred/node"
)

// server is a Kindred that can be stopped and started again on its data.
type server struct {
	t      *testing.T
	config node.Config
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
	res, err := http.Get(s.url() + path)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	return res.StatusCode, body, err
}

func (s *server) post(t *testing.T, path, body string) {
	t.Helper()
	res, err := http.Post(s.url()+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
}
