package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/bench/trial"
	"github.com/kindred-id/kindred/internal/loopback"
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
	return launch(ctx, binary, "serve", "--data", data, "--memory", fmt.Sprint(memory))
}

// launch starts a server by a command of the program, which is told where to listen, and waits until it is ready.
func launch(ctx context.Context, binary string, command ...string) (*benchServer, error) {
	s, err := begin(ctx, binary, command...)
	if err != nil {
		return nil, err
	}
	if err := s.awaitReady(ctx); err != nil {
		return nil, errors.Join(err, s.kill())
	}
	return s, nil
}

// begin starts a server at a free address, and does not wait until it is ready.
func begin(ctx context.Context, binary string, command ...string) (*benchServer, error) {
	address, err := loopback.Free(1)
	if err != nil {
		return nil, err
	}
	return beginAt(ctx, address, binary, command...)
}

// beginAt starts a server at an address. It ends with this process, where the system can do that (attach).
func beginAt(ctx context.Context, address, binary string, command ...string) (*benchServer, error) {
	s := &benchServer{address: address, ended: make(chan error, 1)}
	s.cmd = exec.CommandContext(ctx, binary, append(command, "--listen", s.address)...)
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(os.Interrupt) }
	s.cmd.WaitDelay = serverPatience
	s.cmd.Stderr = &s.log
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // the system ties the server to the thread that starts it
		defer runtime.UnlockOSThread()
		attach(s.cmd)
		err := s.cmd.Start()
		started <- err
		if err == nil {
			s.ended <- s.cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return s, nil
}

// awaitReady waits until the server says that it is ready.
func (s *benchServer) awaitReady(ctx context.Context) error {
	for start := time.Now(); time.Since(start) < serverPatience; {
		select {
		case err := <-s.ended:
			s.ended <- err
			return fmt.Errorf("the server has ended: %w: %s", err, &s.log)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollEvery):
		}
		if answer, err := http.Get("http://" + s.address + "/readyz"); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
	}
	return errors.New("the server is not ready after a minute")
}

// kill ends the server at once, and waits until it is gone. It is safe after the server's end.
func (s *benchServer) kill() error {
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	err := <-s.ended
	s.ended <- err
	return nil
}

// stop ends the server in order.
func (s *benchServer) stop() error {
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	err := <-s.ended
	s.ended <- err
	if err != nil {
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
	return load(ctx, []*benchServer{s}, connections, r)
}

// load is the load of several servers, which take connections in turn. Their processor time is added up.
func load(ctx context.Context, servers []*benchServer, connections int, r requests) (HTTPLoad, error) {
	var next, answered atomic.Int64
	took := make([][]time.Duration, connections)
	cpu, own, start := cpuOf(servers), trial.ProcessorTime(), time.Now()
	var group errgroup.Group
	for i := range connections {
		group.Go(func() (err error) {
			took[i], err = servers[i%len(servers)].connection(ctx, r, &next, &answered)
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
		Connections: connections, PerSecond: n / elapsed.Seconds(), CPU: float64((cpuOf(servers) - cpu).Microseconds()) / n,
		Client: float64((trial.ProcessorTime() - own).Microseconds()) / n, Latency: Summarise(all),
		Answer: int(answered.Load()) / max(1, len(all)),
	}, nil
}

// cpuOf is the processor time of servers.
func cpuOf(servers []*benchServer) (sum time.Duration) {
	for _, s := range servers {
		sum += s.cpu()
	}
	return sum
}

// connection sends requests over one connection, one after the other, and adds up the bytes of the answers.
func (s *benchServer) connection(ctx context.Context, r requests, next, answered *atomic.Int64) (took []time.Duration, err error) {
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	answers := bufio.NewReaderSize(conn, answerRoom)
	var request []byte
	var bytes int64
	defer func() { answered.Add(bytes) }()
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
		status, size, err := readAnswer(answers)
		if err != nil {
			return nil, err
		}
		bytes += int64(size)
		if status != http.StatusOK && (r.count > 0 || status != http.StatusNotFound) {
			return nil, fmt.Errorf("the server answers with status %d to request %d", status, n)
		}
		took = append(took, time.Since(sent))
	}
	return took, nil
}

// answerRoom is the buffer of a connection: nearly every answer arrives in one read.
const answerRoom = 16 << 10

// readAnswer reads a whole answer, and returns its status, and the size of its body. Client and server share the processors, so it takes of an answer no
// more than a client must: net/http would make a header, and a body to be read, for each.
//
// It fails on an answer whose length is not in its head: the server sends none.
func readAnswer(r *bufio.Reader) (status, size int, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return 0, 0, err
	}
	_, code, _ := bytes.Cut(line, []byte(" "))
	if len(code) < 3 {
		return 0, 0, fmt.Errorf("answer: no status in %q", line)
	}
	if status, err = strconv.Atoi(string(code[:3])); err != nil {
		return 0, 0, fmt.Errorf("answer: %w", err)
	}
	size = -1
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return 0, 0, err
		}
		name, value, field := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(": "))
		if !field {
			break
		}
		if string(name) == "Content-Length" { // as net/http writes it
			if size, err = strconv.Atoi(string(value)); err != nil {
				return 0, 0, fmt.Errorf("answer: %w", err)
			}
		}
	}
	if size < 0 {
		return 0, 0, errors.New("answer: no length in its head")
	}
	_, err = r.Discard(size)
	return status, size, err
}
