package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	event = `{"type":"identify","messageId":"m1","userId":"42","anonymousId":"a1","traits":{"email":"Ann@Example.com"}}`
	write = "/v1/identify"
	read  = "/v1/profiles/user_id:42"
)

// walks finds the files that one event and one read enter, in two ways. The spine is what the journeys in
// docs/architecture.md name. All is measured: the server runs with coverage and is stopped at once, runs again and takes
// one event, and runs once more and answers one look-up. A file counts if a line of it ran only the second time.
func walks() ([]figure, error) {
	dir, err := os.MkdirTemp("", "house")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "kindred")
	build := exec.Command("go", "build", "-cover", "-covermode=set", "-coverpkg="+module+"/...", "-o", binary, "./cmd/kindred")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build with coverage: %w\n%s", err, out)
	}
	data := filepath.Join(dir, "data")
	// The first run makes the directory, so that the second only opens it.
	for _, prepare := range []string{"made", "idle"} {
		if err := serve(dir, binary, data, prepare, "", ""); err != nil {
			return nil, err
		}
	}
	if err := serve(dir, binary, data, "event", http.MethodPost, write); err != nil {
		return nil, err
	}
	if err := serve(dir, binary, data, "idle again", "", ""); err != nil {
		return nil, err
	}
	if err := serve(dir, binary, data, "read", http.MethodGet, read); err != nil {
		return nil, err
	}
	idle, err := covered(dir, "idle")
	if err != nil {
		return nil, err
	}
	again, err := covered(dir, "idle again")
	if err != nil {
		return nil, err
	}
	var figures []figure
	for _, w := range []struct {
		name, run, heading, aim string
		idle                    map[string]bool
	}{
		{"files an event enters, socket to disk (spine / all)", "event", "## One event's journey", "≤ 11 / ≤ 30", idle},
		{"files a read enters (spine / all)", "read", "## One read's journey", "≤ 8", again},
	} {
		after, err := covered(dir, w.run)
		if err != nil {
			return nil, err
		}
		var files []string
		for block := range after {
			file, _, _ := strings.Cut(block, ":")
			if !w.idle[block] && !slices.Contains(files, local(file)) {
				files = append(files, local(file))
			}
		}
		slices.Sort(files)
		spine, err := journey(w.heading)
		if err != nil {
			return nil, err
		}
		f := figure{name: w.name, value: fmt.Sprintf("%d / %d", len(spine), len(files)), aim: w.aim}
		for _, file := range files {
			mark := "  "
			if slices.Contains(spine, file) {
				mark = "* "
			}
			f.detail = append(f.detail, mark+file)
		}
		figures = append(figures, f)
	}
	return figures, nil
}

// serve runs the server once on a data directory, sends it one request if there is one, and stops it.
func serve(dir, binary, data, name, method, path string) error {
	coverage := filepath.Join(dir, name)
	if err := os.Mkdir(coverage, 0o700); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return err
	}
	server := exec.Command(binary, "serve", "--data", data, "--listen", address)
	server.Env = append(os.Environ(), "GOCOVERDIR="+coverage)
	var said bytes.Buffer
	server.Stdout, server.Stderr = &said, &said
	if err := server.Start(); err != nil {
		return err
	}
	requested := request(address, method, path)
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := server.Wait(); err != nil {
		return fmt.Errorf("serve: %w\n%s", err, said.String())
	}
	return requested
}

// request waits until the server is ready and sends it one request.
func request(address, method, path string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		ready, err := ask(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
		if err == nil && ready == http.StatusOK {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server is not ready: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
	if path == "" {
		return nil
	}
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(event)
	}
	status, err := ask(ctx, method, "http://"+address+path, body)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s %s answered %d", method, path, status)
	}
	return err
}

func ask(ctx context.Context, method, url string, body io.Reader) (int, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return 0, err
	}
	return answer.StatusCode, nil
}

// covered are the blocks of code that a run entered, as "file:lines".
func covered(dir, name string) (map[string]bool, error) {
	text := filepath.Join(dir, name+".txt")
	convert := exec.Command("go", "tool", "covdata", "textfmt", "-i="+filepath.Join(dir, name), "-o="+text)
	if out, err := convert.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("read coverage: %w\n%s", err, out)
	}
	file, err := os.Open(text)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	blocks := map[string]bool{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) == 3 && fields[2] != "0" {
			blocks[fields[0]] = true
		}
	}
	return blocks, lines.Err()
}

var goFile = regexp.MustCompile("`([a-z0-9_/]+\\.go)`")

// journey are the files that a section of docs/architecture.md names.
func journey(heading string) (files []string, err error) {
	text, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		return nil, err
	}
	_, section, found := strings.Cut(string(text), heading+"\n")
	if !found {
		return nil, nil
	}
	section, _, _ = strings.Cut(section, "\n## ")
	for _, match := range goFile.FindAllStringSubmatch(section, -1) {
		if !slices.Contains(files, match[1]) {
			files = append(files, match[1])
		}
	}
	return files, nil
}
