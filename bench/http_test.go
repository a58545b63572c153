package bench

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
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
