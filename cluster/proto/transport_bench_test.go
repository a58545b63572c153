//go:build !race

// The library sets the logger of gRPC, which all nodes of a process share, at each start: with several nodes in one process
// the race detector sees that and nothing else. `make wires` runs these tests without it.

package proto

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kindred-id/kindred/internal/peertls"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// BenchmarkTransport compares three ways to ask another node, over loopback, with mutual TLS 1.3, both ends in this process:
//
//   - remote: Proto.Actor's remote, as Node.Ask uses it, with guard and budget
//   - grpc: one stream in each direction, whose messages carry a number
//   - http2: a request each, over one connection
//
// One asker shows the latency, 64 at once what it costs where messages share writes. A view asks with 40 bytes and gets
// 1 KB; an envelope brings 4 KB and gets an acknowledgement of 16 bytes.
// Run: go test -run '^$' -bench Transport -benchtime 2000x ./cluster/proto (decision 0063 has the results).
func BenchmarkTransport(b *testing.B) {
	g := newGroup(b, true)
	n1, n2 := g.start("n1"), g.start("n2")
	n2.shards.fixed = map[int][]byte{40: make([]byte, 1000), 4000: make([]byte, 16)}
	ways := []struct {
		name string
		ask  func(body []byte) error
	}{
		{"remote", func(body []byte) error {
			_, err := n1.Ask(b.Context(), n2.address, 3, KindQuery, body)
			return err
		}},
		{"grpc", streamWay(b, g.files("n1"), n2.shards.fixed)},
		{"http2", httpWay(b, g.files("n1"), n2.shards.fixed)},
	}
	for round := range 3 {
		for _, size := range []int{40, 4000} {
			for _, askers := range []int{1, 64} {
				for _, way := range ways {
					b.Run(fmt.Sprintf("%s/bytes=%d/askers=%d/round=%d", way.name, size, askers, round), func(b *testing.B) {
						measure(b, askers, func() error { return way.ask(make([]byte, size)) })
					})
				}
			}
		}
	}
}

func measure(b *testing.B, askers int, ask func() error) {
	if err := ask(); err != nil { // connect
		b.Fatal(err)
	}
	took := make([]time.Duration, b.N)
	before := processorTime(b)
	b.ResetTimer()
	var group sync.WaitGroup
	for a := range askers {
		group.Go(func() {
			for i := a; i < b.N; i += askers {
				begun := time.Now()
				if err := ask(); err != nil {
					b.Error(err)
					return
				}
				took[i] = time.Since(begun)
			}
		})
	}
	group.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[b.N/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[b.N*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// processorTime is that of the whole process: both ends, and the library's own goroutines.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// streamWay asks over one stream. Its messages are Query, whose body begins with a number of 4 bytes.
func streamWay(b *testing.B, files peertls.Files, answers map[int][]byte) func([]byte) error {
	handle := func(_ any, s grpc.ServerStream) error {
		for {
			var q Query
			if err := s.RecvMsg(&q); err != nil {
				return nil
			}
			if err := s.SendMsg(&Query{Body: append(q.Body[:4:4], answers[len(q.Body)-4]...)}); err != nil {
				return err
			}
		}
	}
	desc := grpc.StreamDesc{StreamName: "Ask", Handler: handle, ServerStreams: true, ClientStreams: true}
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(files.Server())))
	server.RegisterService(&grpc.ServiceDesc{ServiceName: "bench", HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{desc}}, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = server.Serve(l) }()
	b.Cleanup(server.Stop)
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(files.Client())))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	ctx, cancel := context.WithCancel(context.Background())
	b.Cleanup(cancel)
	stream, err := conn.NewStream(ctx, &desc, "/bench/Ask")
	if err != nil {
		b.Fatal(err)
	}
	waiting := newAnswers()
	go func() {
		for {
			var a Query
			if stream.RecvMsg(&a) != nil {
				return
			}
			waiting.mu.Lock()
			waiting.waiting[uint32(a.Body[0])<<8|uint32(a.Body[1])] <- a.Body[4:]
			waiting.mu.Unlock()
		}
	}()
	var sending sync.Mutex
	return func(body []byte) error {
		_, err := waiting.wait(b.Context(), func(number uint32) bool {
			sending.Lock()
			defer sending.Unlock()
			return stream.SendMsg(&Query{Body: append([]byte{byte(number >> 8), byte(number), 0, 0}, body...)}) == nil
		})
		return err
	}
}

func httpWay(b *testing.B, files peertls.Files, answers map[int][]byte) func([]byte) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	config := files.Server()
	config.NextProtos = []string{"h2"}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			_, _ = w.Write(answers[len(body)])
		}
	}), TLSConfig: config}
	go func() { _ = server.ServeTLS(l, "", "") }()
	b.Cleanup(func() { server.Close() })
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: h2(files.Client()), ForceAttemptHTTP2: true}}
	b.Cleanup(client.CloseIdleConnections)
	url := "https://" + l.Addr().String()
	return func(body []byte) error {
		r, err := client.Post(url, "application/octet-stream", bytes.NewReader(body))
		if err != nil {
			return err
		}
		defer r.Body.Close()
		if r.ProtoMajor != 2 {
			return fmt.Errorf("HTTP/%d", r.ProtoMajor)
		}
		_, err = io.Copy(io.Discard, r.Body)
		return err
	}
}

func h2(c *tls.Config) *tls.Config {
	c.NextProtos = []string{"h2"}
	return c
}
