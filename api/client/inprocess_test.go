package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kindred-id/kindred/api/document"
)

func inProcess(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	c, err := New("http://kindred", InProcess{h})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A request in process carries the same path, query and body as one over the network, with escapes intact.
func TestInProcess(t *testing.T) {
	var seen string
	c := inProcess(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen = r.Method + " " + r.URL.EscapedPath() + "?" + r.URL.RawQuery + " " + string(body)
		_, _ = io.WriteString(w, `{"accepted":2}`)
	})
	var result document.BatchAnswer
	if err := c.Post(context.Background(), profilePath("crm_id:a/b c", "/x"), nil, map[string]int{"n": 1}, &result); err != nil || result.Accepted != 2 {
		t.Fatalf("%+v, %v", result, err)
	}
	if want := `POST /v1/profiles/crm_id:a%2Fb%20c/x? {"n":1}`; seen != want {
		t.Errorf("%s, want %s", seen, want)
	}
}

// An export that breaks off is an error, not the end.
func TestInProcessBreaksOff(t *testing.T) {
	c := inProcess(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half a line")
		panic(http.ErrAbortHandler)
	})
	x, err := c.Profiles.Export(context.Background(), ExportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if text, err := io.ReadAll(x); err == nil {
		t.Errorf("%q, and no error", text)
	}
}

// When the reader gives up, the handler ends.
func TestInProcessGivesUp(t *testing.T) {
	ended := make(chan error, 1)
	c := inProcess(t, func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := io.WriteString(w, strings.Repeat("x", 1<<10)); err != nil {
				ended <- err
				return
			}
		}
	})
	x, err := c.Profiles.Export(context.Background(), ExportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x.Close()
	if err := <-ended; err == nil {
		t.Error("the handler wrote on")
	}
}

func TestProblems(t *testing.T) {
	for _, test := range []struct {
		name, body, want string
	}{
		{"of Kindred", `{"title":"Nobody","status":404,"detail":"no one","code":"not_found","hint":"look again"}`, "no one (look again)"},
		{"of a proxy", "<html>bad\nmore", "kindred answers 404 Not Found: <html>bad (check that the address is that of a Kindred server)"},
		{"without a word", "", "kindred answers 404 Not Found (check that the address is that of a Kindred server)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := inProcess(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusNotFound)
				_, _ = io.WriteString(w, test.body)
			})
			_, err := c.Profiles.Get(context.Background(), "user_id:7")
			var p *Problem
			if !errors.As(err, &p) || p.Status != 404 || p.Error() != test.want {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}

// Send retries temporary errors, and no others.
func TestSend(t *testing.T) {
	tries := 0
	c := inProcess(t, func(w http.ResponseWriter, _ *http.Request) {
		if tries++; tries < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, `{"success":true,"accepted":1,"duplicates":0,"without_identifier":0,"rejected":[],"warnings":{"blocked":2}}`)
	})
	result, err := c.Events.Send(context.Background(), []byte(`{}`), time.Minute)
	if err != nil || result.Accepted != 1 || string(result.Warnings) != `{"blocked":2}` || tries != 3 {
		t.Errorf("%+v, %v after %d tries", result, err, tries)
	}
	tries = 0
	c = inProcess(t, func(w http.ResponseWriter, _ *http.Request) {
		tries++
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	})
	if _, err := c.Events.Send(context.Background(), []byte(`{}`), time.Minute); err == nil || tries != 1 {
		t.Errorf("%v after %d tries, want an error after one", err, tries)
	}
	c = inProcess(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"title":"none","status":400,"code":"no_readable_event","accepted":0,"rejected":[{"index":0,"code":"bad_type","message":"m","hint":"h"}]}`)
	})
	if result, err = c.Events.Send(context.Background(), []byte(`{}`), time.Minute); err != nil || len(result.Rejected) != 1 || result.Rejected[0].Code != "bad_type" {
		t.Errorf("%+v, %v, want the rejection", result, err)
	}
}
