package clients

import (
	"context"
	"path/filepath"
	"sync"
	"testing"

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
