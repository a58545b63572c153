package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

//go:generate go run -C build .
//go:embed dist/index.html dist/console.js dist/console.css dist/icon.svg dist/LICENSES.txt
var dist embed.FS

// contentPolicy lets the page load its own files and ask its own server; require-trusted-types-for keeps texts from becoming
// markup even by a mistake.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// base is where the console is.
const base = "/console"

// file is one of the files.
type file struct {
	body  []byte
	media string
	tag   string
}

// files are the files by their names, and the page under "".
var files = map[string]*file{
	"":             open("index.html", "text/html; charset=utf-8"),
	"console.js":   open("console.js", "text/javascript; charset=utf-8"),
	"console.css":  open("console.css", "text/css; charset=utf-8"),
	"icon.svg":     open("icon.svg", "image/svg+xml"),
	"LICENSES.txt": open("LICENSES.txt", "text/plain; charset=utf-8"),
}

func open(name, media string) *file {
	body, err := dist.ReadFile("dist/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	sum := sha256.Sum256(body)
	return &file{body, media, strconv.Quote(base64.RawURLEncoding.EncodeToString(sum[:12]))}
}

// Handler serves the files below base. An address that is no file is a page, which the script finds.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, base), "/")
		f := files[name]
		if f == nil {
			f = files[""]
		}
		h := w.Header()
		h.Set("Content-Type", f.media)
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache") // asked for again each time, answered with 304 while the binary is the same
		h.Set("ETag", f.tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
	})
}
