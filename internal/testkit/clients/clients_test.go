package clients

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// library is a tracking library of docs/clients.md.
type library struct {
	name    string
	program string // in this directory
	browser bool   // it runs in a page: of jsdom, and of Chromium
	types   string // the types of events that its program sends
	retries int    // attempts after the first that its requests survive; 0: it never sends again
	source  string
	own     int // identifiers that the library invents
}

const every = "alias group identify page screen track"

var libraries = []library{
	{name: "segment-node", program: "node/segment-node.mjs", types: every, retries: 3, source: "shop-server"},
	{name: "segment-browser", program: "node/segment-browser.mjs", browser: true, types: every, retries: 3, source: "shop-web", own: 1},
	{name: "segment-batching", program: "node/segment-batching.mjs", browser: true, types: every, retries: 6, source: "shop-web", own: 1},
	{name: "segment-go", program: "go/segment-go.txt", types: every, retries: 4, source: "shop-server"},
	{name: "segment-python", program: "python/segment-python.py", types: every, retries: 4, source: "shop-server"},
	{name: "rudder-node", program: "node/rudder-node.mjs", types: every, retries: 2, source: "shop-server"},
	{name: "rudder-browser", program: "node/rudder-browser.mjs", browser: true, types: "alias group identify page track", retries: 3, source: "shop-web", own: 1},
	{name: "rudder-go", program: "go/rudder-go.txt", types: every, retries: 4, source: "shop-server"},
	{name: "rudder-python", program: "python/rudder-python.py", types: every, retries: 4, source: "shop-server"},
	{name: "snowplow-node", program: "node/snowplow-node.mjs", types: "page screen track", retries: 6, source: "shop-server"},
	{name: "jitsu-node", program: "node/jitsu-node.mjs", types: "group identify page track", source: "shop", own: 1},
	{name: "jitsu-browser", program: "node/jitsu-browser.mjs", browser: true, types: "group identify page track", source: "shop", own: 1},
}

// arrival bounds how long the events of a program may take, retries among them.
const arrival = time.Minute

// Each library makes the profile that its calls describe.
func TestClients(t *testing.T) {
	if testing.Short() {
		t.Skip("the libraries have to be installed: make clients")
	}
	page := readPage(t)
	for _, l := range libraries {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			if l.browser {
				l.checkAll(t, page, "--import", "./browser.mjs")
			} else {
				l.checkAll(t, page)
			}
		})
	}
}

// checkAll runs the program of a library in quiet, with a key where the server asks for one, and through faults. For one that
// Node runs, inside is what comes before the program on the command line.
func (l *library) checkAll(t *testing.T, page string, inside ...string) {
	t.Helper()
	code := snippet(t, page, l.name)
	command := l.command(t, code, "", inside)
	l.check(t, l.run(t, newServer(t), command))
	keyed := newServer(t)
	l.check(t, l.run(t, keyed, l.command(t, code, keyed.keyed(t, l.source), inside)))
	faults := []fault{unavailable, unavailable, limited, kill, cutAfter, cutBefore}
	if l.retries == 0 {
		faults = []fault{unavailable, cutAfter} // each costs an event: the second is there, and the library can't know
	}
	l.check(t, l.run(t, newServer(t), command, faults...))
}

// readPage returns the text of docs/clients.md.
func readPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../../docs/clients.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// Every snippet of the page is run.
func TestSnippets(t *testing.T) {
	page := readPage(t)
	names := regexp.MustCompile(`<!-- client: (\S+) -->`).FindAllStringSubmatch(page, -1)
	if len(names) != len(libraries) || strings.Count(page, "```") != 2*len(names) {
		t.Errorf("the page has %d named snippets of %d, and %d libraries are run", len(names), strings.Count(page, "```")/2, len(libraries))
	}
	for _, l := range libraries {
		if text := snippet(t, page, l.name); !strings.Contains(text, "127.0.0.1:8080") {
			t.Errorf("%s: the snippet names no host", l.name)
		}
	}
}

// withKey puts a key in the place of the write key of a program; what follows a colon stays.
func (l *library) withKey(t *testing.T, code, key string) string {
	t.Helper()
	keyed := regexp.MustCompile(`"`+l.source+`(:\w+)?"`).ReplaceAllString(code, `"`+key+`$1"`)
	if keyed == code {
		t.Fatalf("%s: the program has no write key", l.name)
	}
	return keyed
}

// snippet is the code that the page has for a library.
func snippet(t *testing.T, page, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, "<!-- client: "+name+" -->\n```")
	_, rest, line := strings.Cut(rest, "\n")
	code, _, fenced := strings.Cut(rest, "\n```\n")
	if !ok || !line || !fenced {
		t.Fatalf("docs/clients.md has no snippet of %s", name)
	}
	return code
}

// command makes the program of a library, with a key if it is not empty, and returns a function that makes the command which
// runs it against a host.
func (l *library) command(t *testing.T, code, key string, inside []string) func(host string) *exec.Cmd {
	t.Helper()
	text, err := os.ReadFile(l.program)
	if err != nil {
		t.Fatal(err)
	}
	whole := regexp.MustCompile(`(?m)^\s*(//|#)snippet$`).ReplaceAllLiteralString(string(text), code)
	if whole == string(text) {
		t.Fatalf("%s has no place for a snippet", l.program)
	}
	if key != "" {
		whole = l.withKey(t, whole, key)
	}
	installed, err := filepath.Abs("../../../.clients")
	if err != nil {
		t.Fatal(err)
	}
	at := func(host string) []byte { return []byte(strings.ReplaceAll(whole, "127.0.0.1:8080", host)) }
	switch filepath.Dir(l.program) {
	case "go":
		return func(host string) *exec.Cmd { return goProgram(t, at(host)) }
	case "python":
		python := filepath.Join(installed, "python/bin/python")
		require(t, python)
		return func(host string) *exec.Cmd {
			return exec.Command(python, write(t, filepath.Join(t.TempDir(), "program.py"), at(host)))
		}
	default:
		folder := filepath.Join(installed, "node")
		require(t, filepath.Join(folder, "node_modules"))
		if err := shareModules(folder); err != nil {
			t.Fatal(err)
		}
		return func(host string) *exec.Cmd {
			program := write(t, filepath.Join(folder, fmt.Sprintf("%s-%d.mjs", l.name, time.Now().UnixNano())), at(host))
			t.Cleanup(func() { _ = os.Remove(program) })
			cmd := exec.Command("node", append(slices.Clone(inside), program)...)
			cmd.Dir = folder
			return cmd
		}
	}
}

// copied guards the modules that programs for Node share.
var copied sync.Mutex

// shareModules copies the modules that programs for Node share to where the libraries are.
func shareModules(folder string) error {
	copied.Lock()
	defer copied.Unlock()
	for _, name := range []string{"browser.mjs", "chromium.mjs", "stop.mjs"} {
		text, err := os.ReadFile(filepath.Join("node", name))
		if err != nil {
			return err
		}
		path := filepath.Join(folder, name)
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
			continue // a program may be reading it
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// require skips the test where something is not installed; with CI=true the test fails.
func require(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%v: make clients", err)
		}
		t.Skipf("%v: make clients installs it", err)
	}
}

func write(t *testing.T, path string, text []byte) string {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// goProgram builds a program in the module of the libraries for Go.
func goProgram(t *testing.T, text []byte) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum"} {
		file, err := os.ReadFile(filepath.Join("go", name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), file)
	}
	write(t, filepath.Join(dir, "main.go"), text)
	build := exec.Command("go", "build", "-o", "program", ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		if os.Getenv("CI") != "true" && bytes.Contains(out, []byte("dial tcp")) {
			t.Skipf("the module can't be fetched: %s", out)
		}
		t.Fatalf("%v\n%s", err, out)
	}
	return exec.Command(filepath.Join(dir, "program"))
}

// outcome is what a run of a program has left behind.
type outcome struct {
	seen
	profile profile
	former  profile // of the former id that the program gives up
	group   group
	events  []event
	faults  int // that met a request
}

// profile is what tests compare of a profile.
type profile struct {
	Identifiers []struct{ Namespace, Value string }
	Events      int
	Counts      map[string]int
	Traits      map[string]string
	Orders      int
	Revenue     json.Number
	Currency    string
}

// group is what tests compare of the group that a program names.
type group struct {
	Events, People int
	Traits         struct{ Name string }
}

// event is what tests compare of an event.
type event struct {
	Type, Name, Source string
	Properties         map[string]any
	Order              struct {
		ID, Change, Currency string
		Net                  json.Number
	}
}

// run runs a program against a server of its own, through a proxy with faults, until its events have arrived.
func (l *library) run(t *testing.T, server *server, command func(host string) *exec.Cmd, faults ...fault) outcome {
	t.Helper()
	p := newProxy(t, server, max(l.retries, 1), faults...)
	cmd := command(strings.TrimPrefix(p.URL, "http://"))
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	want := len(strings.Fields(l.types))
	start := time.Now()
	var o outcome
	for !l.arrived(&o, want) && time.Since(start) < arrival {
		select {
		case err := <-ended:
			t.Fatalf("the program ended: %v\n%s", err, &output)
		case <-time.After(50 * time.Millisecond):
		}
		o = l.ask(t, server)
		o.seen = p.seen()
	}
	took := time.Since(start)
	time.Sleep(500 * time.Millisecond) // for what should not come
	_ = stdin.Close()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("%v\n%s", err, &output)
		}
	case <-time.After(20 * time.Second):
		t.Errorf("the program does not end\n%s", &output)
		_ = cmd.Process.Kill()
	}
	if l.aliases() {
		server.post(t, "/v1/page?writeKey=test", fmt.Sprintf(`{"userId":"old-%s","messageId":"former"}`, l.name))
	}
	o = l.ask(t, server)
	server.get(t, "/v1/profiles/user_id:old-"+l.name, &o.former)
	server.get(t, "/v1/groups/g1", &o.group)
	o.seen = p.seen()
	o.faults = len(faults) - o.left
	t.Logf("%d faults, %d events in %s, paths %v", o.faults, o.profile.Events, took.Round(10*time.Millisecond), p.passed())
	if o.profile.Events < want && l.retries > 0 || len(faults) > 0 && o.faults < min(4, len(faults)) {
		t.Logf("the library says: %s", &output)
	}
	return o
}

// arrived reports whether all events of the program have arrived. By then a request that was cut off has come again, so that it
// could have counted twice; a library that never sends again has sent everything.
func (l *library) arrived(o *outcome, want int) bool {
	if l.retries == 0 {
		return o.served+o.lost >= want
	}
	return o.profile.Events >= want && o.told == o.served
}

// ask asks the server about the customer of the program.
func (l *library) ask(t *testing.T, s *server) (o outcome) {
	t.Helper()
	s.get(t, "/v1/profiles/user_id:"+l.name, &o.profile)
	var page struct{ Events []event }
	s.get(t, "/v1/profiles/user_id:"+l.name+"/events", &page)
	o.events = page.Events
	return o
}

// check holds an outcome against what the program sent.
func (l *library) check(t *testing.T, o outcome) {
	t.Helper()
	if l.retries == 0 && o.faults > 0 {
		if len(o.events) != o.served || o.profile.Events != o.served || o.told < 2 || o.served != 3 {
			// A browser sends again by itself what was cut off on a connection that had served before: then all 3 are acknowledged.
			t.Errorf("%d events are there, %d counted, %d served, %d acknowledged: want 3, 3, 3 and 2 or 3", len(o.events), o.profile.Events, o.served, o.told)
		}
		return
	}
	want := profile{Events: 0, Counts: map[string]int{}, Traits: map[string]string{"email": l.email(), "plan": "pro"}, Orders: 1, Revenue: "42.50", Currency: "EUR"}
	names := []string{"email " + l.email(), "user_id " + l.name}
	if !strings.Contains(l.types, "identify") {
		want.Traits = map[string]string{}
	}
	for _, typ := range strings.Fields(l.types) {
		want.Events++
		want.Counts[typ]++
	}
	if l.aliases() { // and the event of the former id
		want.Events++
		want.Counts["page"]++
		names = append(names, "user_id old-"+l.name)
	}
	slices.Sort(names)
	got := o.profile
	got.Identifiers = nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("profile\n%+v, want\n%+v", got, want)
	}
	l.checkIdentifiers(t, o, names)
	var acme group
	if strings.Contains(l.types, "group") {
		acme.Events, acme.People, acme.Traits.Name = 1, 1, "Acme"
	}
	if o.group != acme {
		t.Errorf("group\n%+v, want\n%+v", o.group, acme)
	}
	for _, e := range o.events {
		l.checkEvent(t, &e)
	}
}

func (l *library) email() string { return l.name + "@example.com" }

func (l *library) aliases() bool { return strings.HasPrefix(l.types, "alias") }

// checkIdentifiers checks the identifiers of a profile: those that the calls name, and as many cookies as the library invents.
func (l *library) checkIdentifiers(t *testing.T, o outcome, want []string) {
	t.Helper()
	var got []string
	own := 0
	for _, id := range o.profile.Identifiers {
		if id.Namespace == "anonymous_id" {
			own++
			continue
		}
		got = append(got, id.Namespace+" "+id.Value)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) || own != l.own {
		t.Errorf("identifiers %v and %d cookies, want %v and %d", got, own, want, l.own)
	}
	if l.aliases() && !reflect.DeepEqual(o.former, o.profile) {
		t.Errorf("the former id leads to\n%+v, not to\n%+v", o.former, o.profile)
	}
}

// checkEvent checks what a timeline says about an event.
func (l *library) checkEvent(t *testing.T, e *event) {
	t.Helper()
	if e.Source == "test" {
		return
	}
	name := map[string]string{"track": "Order Completed", "page": "Sale", "screen": "Basket"}[e.Type]
	if e.Name == "" { // Jitsu's library names a page among its properties only
		e.Name, _ = e.Properties["name"].(string)
	}
	if e.Name != name || e.Source != l.source {
		t.Errorf("%s event %q of %s, want %q of %s", e.Type, e.Name, e.Source, name, l.source)
	}
	if e.Type != "track" {
		return
	}
	paid := e.Properties["revenue"]
	if paid == nil { // Snowplow's has tax and shipping in it
		paid = e.Properties["total"]
	}
	if o := e.Order; o.ID != "O-1" || o.Change != "completed" || o.Currency != "EUR" || o.Net != "42.50" || paid != 42.5 {
		t.Errorf("order %+v of %v", o, e.Properties)
	}
}
