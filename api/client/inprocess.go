package client

import (
	"bytes"
	"io"
	"net/http"
	"sync"
)

// InProcess is an http.RoundTripper that hands requests to a handler, without a network. Bodies of answers are streamed:
// the handler's writes wait for the reader.
type InProcess struct{ Handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t InProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	served := req.Clone(req.Context()) // a RoundTripper leaves its request alone
	served.RequestURI = req.URL.RequestURI()
	served.RemoteAddr = "in-process"
	if served.Host == "" {
		served.Host = req.URL.Host
	}
	if served.Body == nil {
		served.Body = http.NoBody
	}
	body, out := io.Pipe()
	w := &pipeWriter{header: make(http.Header), out: out, begun: make(chan *http.Response, 1), request: req, body: body}
	go func() {
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler { //nolint:errorlint // a panic with this very value aborts a request
				panic(p)
			} else if p != nil {
				w.WriteHeader(http.StatusInternalServerError)
				_ = out.CloseWithError(io.ErrUnexpectedEOF)
				return
			}
			w.WriteHeader(http.StatusOK)
			_ = out.Close()
		}()
		defer served.Body.Close()
		t.Handler.ServeHTTP(w, served)
	}()
	select {
	case res := <-w.begun:
		return res, nil
	case <-req.Context().Done():
		_ = body.CloseWithError(req.Context().Err()) // the handler's writes fail from now on
		return nil, req.Context().Err()
	}
}

// pipeWriter is the http.ResponseWriter of a request in process.
type pipeWriter struct {
	header  http.Header
	out     *io.PipeWriter
	once    sync.Once
	begun   chan *http.Response
	request *http.Request
	body    io.ReadCloser
}

// Header implements http.ResponseWriter.
func (w *pipeWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *pipeWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.begun <- &http.Response{
			Status: http.StatusText(status), StatusCode: status,
			Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: w.header.Clone(), Body: w.body, ContentLength: -1, Request: w.request,
		}
	})
}

// Write implements http.ResponseWriter.
func (w *pipeWriter) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.out.Write(bytes.Clone(b))
}

// Flush implements http.Flusher. Writes are never buffered, so only the header may be pending.
func (w *pipeWriter) Flush() { w.WriteHeader(http.StatusOK) }
