package api

import (
	"net/url"
	"testing"
)

// A cleaned path asks for the same as the path that came, and a clean one stays as it is.
func TestCleanPath(t *testing.T) {
	for _, c := range []struct{ asked, path, escaped string }{
		{"/v1/batch", "/v1/batch", "/v1/batch"},
		{"/v1/batch/", "/v1/batch", "/v1/batch"},
		{"//v1//batch", "/v1/batch", "/v1/batch"},
		{"/v1/./a/../batch", "/v1/batch", "/v1/batch"},
		{"/v1/profiles/user_id:a%2Fb", "/v1/profiles/user_id:a/b", "/v1/profiles/user_id:a%2Fb"},
		{"/v1/profiles/user_id:a%2Fb/", "/v1/profiles/user_id:a/b", "/v1/profiles/user_id:a%2Fb"},
		{"/v1/profiles/user_id:a%2F%2Fb", "/v1/profiles/user_id:a//b", "/v1/profiles/user_id:a%2F%2Fb"},
		{"/v1/profiles/email:a%20b@c", "/v1/profiles/email:a b@c", "/v1/profiles/email:a%20b@c"},
		{"*", "/*", "/*"},
		{"", "/", "/"},
		{"/", "/", "/"},
	} {
		u, err := url.ParseRequestURI(c.asked)
		if err != nil {
			u = &url.URL{Path: c.asked}
		}
		if cleanPath(u); u.Path != c.path || u.EscapedPath() != c.escaped {
			t.Errorf("%q: path %q, escaped %q; want %q and %q", c.asked, u.Path, u.EscapedPath(), c.path, c.escaped)
		}
	}
}

// BenchmarkCleanPath cleans a path that is clean.
func BenchmarkCleanPath(b *testing.B) {
	u, err := url.ParseRequestURI("/v1/profiles/user_id:cus_1")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		cleanPath(u)
	}
}
