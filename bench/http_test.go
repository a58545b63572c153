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
	"testing"
)

// Each request of a load is read as a program would: its length is right, and it has the events that it stands for.
func TestHTTPRequests(t *testing.T) {
	lines := [][]byte{[]byte(`{"userId":"cus_1"}`), []byte(`{"userId":"cus_ü"}`), []byte(`{}`), []byte(`{"userId":"null"}`), []byte(`{"n":5}`)}
	for _, c := range []struct {
		of   requests
		want []string // method, path and body
	}{
		{batches(lines, 2), []string{`POST /v1/batch {"batch":[{"userId":"cus_1"},{"userId":"cus_ü"}]}`, `POST /v1/batch {"batch":[{},{"userId":"null"}]}`}},
		{batches(lines[:1], 1), []string{`POST /v1/batch {"userId":"cus_1"}`}},
		{reads(lines), []string{"GET /v1/profiles/user_id:cus_1 ", "GET /v1/profiles/user_id:cus_ü "}},
		{reads(lines[2:]), []string{"GET /v1/profiles/user_id:nobody "}},
	} {
		if c.of.count > 0 && c.of.count != len(c.want) {
			t.Errorf("%d requests, want %d", c.of.count, len(c.want))
		}
		var all []byte
		for n := range c.want {
			all = c.of.write(all, n)
		}
		r := bufio.NewReader(bytes.NewReader(all))
		for _, want := range c.want {
			request, err := http.ReadRequest(r)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(request.Body)
			if got := request.Method + " " + request.URL.Path + " " + string(body); err != nil || got != want {
				t.Errorf("%q, %v; want %q", got, err, want)
			}
		}
		if _, err := http.ReadRequest(r); !errors.Is(err, io.EOF) {
			t.Errorf("after the last request: %v", err)
		}
	}
}

// An answer is read to its end and no further, whatever its status, and one that has no end to be known is an error.
func TestHTTPAnswers(t *testing.T) {
	all := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{\"success\":true}\n" +
		"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" +
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	r := bufio.NewReader(strings.NewReader(all))
	for _, want := range []struct{ status, size int }{{http.StatusOK, 17}, {http.StatusNotFound, 0}} {
		if status, size, err := readAnswer(r); err != nil || status != want.status || size != want.size {
			t.Errorf("status %d, %d bytes, %v; want %v", status, size, err, want)
		}
	}
	if _, _, err := readAnswer(r); err == nil {
		t.Error("an answer without a length was read")
	}
	for _, bad := range []string{"", "HTTP/1.1", "HTTP/1.1 ok\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"} {
		if status, _, err := readAnswer(bufio.NewReader(strings.NewReader(bad))); err == nil {
			t.Errorf("%q: status %d, want an error", bad, status)
		}
	}
}

// The ceiling reads what it is sent, and answers with as many bytes as it was told.
func TestHTTPCeiling(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	go func() { ended <- ServeCeiling(ctx, address, 1200, 90) }()
	s := &benchServer{cmd: &exec.Cmd{Process: &os.Process{Pid: os.Getpid()}}, address: address}
	for { // until it listens
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			break
		}
		select {
		case err := <-ended:
			t.Fatal(err)
		default:
		}
	}
	lines := [][]byte{[]byte(`{"userId":"cus_1"}`), []byte(`{"userId":"cus_2"}`), []byte(`{"userId":"cus_3"}`)}
	posted, err := s.load(ctx, 2, batches(lines, 1))
	if err != nil || posted.Answer != 90 || posted.PerSecond <= 0 {
		t.Errorf("%+v, %v", posted, err)
	}
	all := reads(lines)
	all.count = 10
	got, err := s.load(ctx, 2, all)
	if err != nil || got.Answer != 1200 {
		t.Errorf("%+v, %v", got, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// BenchmarkReadAnswer compares what the client spends on an answer with what net/http would.
func BenchmarkReadAnswer(b *testing.B) {
	const body = `{"success":true,"accepted":1,"duplicates":0,"without_identifier":0,"rejected":[]}` + "\n"
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: %d\r\nContent-Type: application/json\r\n"+
		"Date: Sun, 01 Nov 2026 09:00:00 GMT\r\n\r\n%s", len(body), body)
	source := bytes.NewReader(nil)
	r := bufio.NewReaderSize(source, answerRoom)
	for _, reader := range []struct {
		name string
		read func() error
	}{
		{"lean", func() error { _, _, err := readAnswer(r); return err }},
		{"net/http", func() error {
			answer, err := http.ReadResponse(r, nil)
			if err == nil {
				_, err = io.ReadAll(answer.Body)
			}
			return err
		}},
	} {
		b.Run(reader.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				source.Reset(answer)
				r.Reset(source)
				if err := reader.read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
