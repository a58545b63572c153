package bench

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// ServeCeiling answers every request until ctx ends: it reads the body, and sends so many bytes, for a GET or for a POST. It does
// nothing else, so what a client reaches against it is the most that any server on net/http could reach on the machine. Its time-outs are
// those of Kindred's server, because each costs a timer a request.
func ServeCeiling(ctx context.Context, listen string, get, post int) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	const minute = time.Minute
	server := http.Server{
		Handler: idle(get, post), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: minute, WriteTimeout: minute, IdleTimeout: 2 * minute,
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// idle is the handler of ServeCeiling.
func idle(get, post int) http.Handler {
	answers := map[string][]byte{http.MethodGet: make([]byte, get), http.MethodPost: make([]byte, post)}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the client has gone: it will notice
		body := answers[r.Method]
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	})
}
