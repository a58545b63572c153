package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// benchServer is a server in a process of its own.
type benchServer struct {
	cmd     *exec.Cmd
	address string
	log     bytes.Buffer
	ended   chan error
}

// serverPatience bounds how long a server may take to start, and to stop.
const serverPatience = time.Minute

// startServer starts a server on a new directory below dir, and waits until it is ready.
func startServer(ctx context.Context, binary, dir string, memory int64) (*benchServer, error) {
	data, err := os.MkdirTemp(dir, "http-")
	if err != nil {
		return nil, err
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &benchServer{address: free.Addr().String(), ended: make(chan error, 1)}
	if err := free.Close(); err != nil {
		return nil, err
	}
	s.cmd = exec.CommandContext(ctx, binary, "serve", "--data", data, "--listen", s.address, "--memory", fmt.Sprint(memory))
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(os.Interrupt) }
	s.cmd.WaitDelay = serverPatience
	s.cmd.Stderr = &s.log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { s.ended <- s.cmd.Wait() }()
	for start := time.Now(); time.Since(start) < serverPatience; {
		select {
		case err := <-s.ended:
			return nil, fmt.Errorf("the server has ended: %w: %s", err, &s.log)
		case <-time.After(pollEvery):
		}
		if answer, err := http.Get("http://" + s.address + "/readyz"); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return s, nil
			}
		}
	}
	return nil, errors.Join(errors.New("the server is not ready after a minute"), s.stop())
}

// stop ends the server in order.
func (s *benchServer) stop() error {
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	if err := <-s.ended; err != nil {
		return fmt.Errorf("the server: %w: %s", err, &s.log)
	}
	return nil
}

// resident is the most memory that the server had, in bytes; 0 where it is unknown.
func (s *benchServer) resident() int64 {
	text, err := os.ReadFile(s.proc("status"))
	if err != nil {
		return 0
	}
	var kib int64
	_, most, _ := strings.Cut(string(text), "VmHWM:")
	_, _ = fmt.Sscan(most, &kib)
	return kib << 10
}

// cpu is the processor time of the server's threads; 0 where it is unknown.
func (s *benchServer) cpu() (sum time.Duration) {
	threads, err := os.ReadDir(s.proc("task"))
	if err != nil {
		return 0
	}
	for _, thread := range threads {
		var ns int64
		text, _ := os.ReadFile(s.proc("task/" + thread.Name() + "/schedstat")) // the thread may have ended
		_, _ = fmt.Sscan(string(text), &ns)
		sum += time.Duration(ns)
	}
	return sum
}

// proc is a file of the system about the server's process.
func (s *benchServer) proc(name string) string {
	return fmt.Sprintf("/proc/%d/%s", s.cmd.Process.Pid, name)
}

// load sends requests over so many connections until all are answered or the context ends. An answer other than 200, or to a
// read 404, fails it.
func (s *benchServer) load(ctx context.Context, connections int, r requests) (HTTPLoad, error) {
	var next atomic.Int64
	took := make([][]time.Duration, connections)
	cpu, start := s.cpu(), time.Now()
	var group errgroup.Group
	for i := range connections {
		group.Go(func() (err error) {
			took[i], err = s.connection(ctx, r, &next)
			return err
		})
	}
	err := group.Wait()
	elapsed := time.Since(start)
	if err != nil {
		return HTTPLoad{}, err
	}
	var all []time.Duration
	for _, durations := range took {
		all = append(all, durations...)
	}
	n := float64(len(all) * r.each)
	return HTTPLoad{
		Connections: connections, PerSecond: n / elapsed.Seconds(), CPU: float64((s.cpu() - cpu).Microseconds()) / n, Latency: Summarise(all),
	}, nil
}

// connection sends requests over one connection, one after the other.
func (s *benchServer) connection(ctx context.Context, r requests, next *atomic.Int64) (took []time.Duration, err error) {
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	answers := bufio.NewReader(conn)
	var request []byte
	for ctx.Err() == nil {
		n := int(next.Add(1)) - 1
		if r.count > 0 && n >= r.count {
			break
		}
		request = r.write(request[:0], n)
		sent := time.Now()
		if _, err := conn.Write(request); err != nil {
			return nil, err
		}
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			return nil, err
		}
		if answer.StatusCode != http.StatusOK && (r.count > 0 || answer.StatusCode != http.StatusNotFound) {
			return nil, fmt.Errorf("the server answers %s: %s", answer.Status, body)
		}
		took = append(took, time.Since(sent))
	}
	return took, nil
}
