package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func get(path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w
}

// Every address is a file or the page, with a policy that lets no other script run.
func TestFiles(t *testing.T) {
	for path, want := range map[string]string{
		"/console": "<!doctype html>", "/console/people/k57ysfgf2mfmc45ezyrsv504szw/orders": "<!doctype html>", "/console/../etc/passwd": "<!doctype html>",
		"/console/console.js": "preact", "/console/console.css": ":root", "/console/icon.svg": "<svg", "/console/LICENSES.txt": "MIT",
	} {
		w := get(path)
		if w.Code != http.StatusOK || want != "preact" && !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %.60s", path, w.Code, w.Body)
		}
		policy := w.Header().Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self';", "require-trusted-types-for 'script'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: the policy %q lacks %q", path, policy, part)
			}
		}
		if again := get(path, "If-None-Match", w.Header().Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("%s again: %d", path, again.Code)
		}
	}
	page := files[""].body
	if bytes.Contains(page, []byte("<style")) || regexp.MustCompile(`<script[^>]*>[^<]`).Match(page) || regexp.MustCompile(`(src|href)="[^/]`).Match(page) {
		t.Error("the page has a script or a style of its own, or a file from elsewhere: the policy does not let it run")
	}
}

// The files that a browser loads stay small: the console is one script for every page.
func TestSize(t *testing.T) {
	for name, most := range map[string]int{"console.js": 90_000, "console.css": 15_000} {
		var small bytes.Buffer
		w, _ := gzip.NewWriterLevel(&small, gzip.BestCompression)
		_, _ = w.Write(files[name].body)
		_ = w.Close()
		if small.Len() > most {
			t.Errorf("%s: %d bytes, gzipped; want at most %d", name, small.Len(), most)
		}
	}
}

// Both languages have the same texts, with the same values in them (C3).
func TestLanguages(t *testing.T) {
	english, dutch := texts(t, "en"), texts(t, "nl")
	for _, name := range slices.Sorted(maps.Keys(english)) {
		a, b := english[name], dutch[name]
		if a == "" || b == "" {
			t.Errorf("%s: is empty or missing in a language", name)
		}
		if values(a) != values(b) {
			t.Errorf("%s: %q has not the values of %q", name, b, a)
		}
	}
	for name := range dutch {
		if _, ok := english[name]; !ok {
			t.Errorf("%s: is missing in English", name)
		}
	}
}

func texts(t *testing.T, language string) (texts map[string]string) {
	t.Helper()
	body, err := os.ReadFile("src/locales/" + language + ".json")
	if err == nil {
		err = json.Unmarshal(body, &texts)
	}
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

func values(text string) string {
	found := regexp.MustCompile(`\{\w+\}`).FindAllString(text, -1)
	slices.Sort(found)
	return strings.Join(slices.Compact(found), " ")
}

// No page has a text that is in no language file, and every text is used (C3).
func TestTexts(t *testing.T) {
	literal := regexp.MustCompile(`>\s*([^<>{}=;()]*\pL{3,}[^<>{}=;()]*)</`)
	names := map[string]bool{"Kindred": true, "API": true} // proper names
	var all strings.Builder
	err := filepath.WalkDir("src", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".tsx") && !strings.HasSuffix(path, ".ts") {
			return err
		}
		source, err := os.ReadFile(path)
		all.Write(source)
		for _, found := range literal.FindAllStringSubmatch(string(source), -1) {
			if text := strings.TrimSpace(found[1]); strings.HasSuffix(path, ".tsx") && !names[text] {
				t.Errorf("%s: %q is in no language file", path, text)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	made := regexp.MustCompile(`^(problem|check|type|trial|condition|reason|refused|assertion|change|band|status|person|form)\.`) // names that pages put together
	for name := range texts(t, "en") {
		stem := strings.TrimSuffix(strings.TrimSuffix(name, ".one"), ".other")
		if !strings.Contains(all.String(), `"`+stem+`"`) && !made.MatchString(name) && !strings.HasSuffix(name, ".title") {
			t.Errorf("%s: no page uses this text", name)
		}
	}
	if literal.FindString("<p>Save all</p>") == "" {
		t.Error("a text between tags is not found")
	}
}

// The libraries are as they were published: a changed file is not what SHA256SUMS says.
func TestVendor(t *testing.T) {
	sums, err := os.ReadFile("vendor/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	for line := range strings.Lines(string(sums)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		listed[filepath.Clean(name)] = sum
	}
	err = filepath.WalkDir("vendor", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path == "vendor/SHA256SUMS" || path == "vendor/fetch" {
			return err
		}
		body, err := os.ReadFile(path)
		name, _ := filepath.Rel("vendor", path)
		if got := sumOf(body); listed[name] != got {
			t.Errorf("%s: its hash is %s, and SHA256SUMS has %q", path, got, listed[name])
		}
		delete(listed, name)
		return err
	})
	if err != nil || len(listed) > 0 {
		t.Errorf("files that are listed and not there: %v (%v)", listed, err)
	}
}

func sumOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
