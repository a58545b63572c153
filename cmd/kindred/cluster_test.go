package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/internal/loopback"
	"github.com/kindred-id/kindred/internal/peertls"
	"github.com/kindred-id/kindred/internal/testkit/certs"
	"github.com/kindred-id/kindred/internal/testkit/kafkatest"
	"github.com/kindred-id/kindred/internal/testkit/netcut"
)

// clusterTest is a cluster of processes, run by the command line alone.
type clusterTest struct {
	bin, name, dir  string
	brokers, secret string
	kafka           *kafkatest.Broker
	gossipKey       string
	members         []*clusterMember
	certificate     func(name string) peertls.Files
	flags           []string // of every node, beside those that it needs
}

// clusterMember is one node of it.
type clusterMember struct {
	name, dir, listen, peers string
	tls                      peertls.Files
	bin                      string   // its program, if that is another one than the others'
	env                      []string // beside that of the test
	group                    netcut.Group
	process                  *exec.Cmd
}

const (
	clusterShards = 8
	clusterEvents = 2000
	clusterBatch  = 25

	clusterAudiences = "seen: events(\"Seen\").count() >= 3\nreachable: has_identifier(\"email\")\n"
)

func newClusterTest(t *testing.T) *clusterTest {
	o := kafkatest.Options{Nodes: 3}
	if os.Getenv("KINDRED_KAFKA") != "" {
		o.Nodes = 0 // it has to have three
	}
	b := kafkatest.Start(t, o)
	c := &clusterTest{kafka: b, bin: binary(t), name: fmt.Sprintf("shop-%08x", rand.Uint32()), dir: t.TempDir(), brokers: strings.Join(b.Brokers(), ",")}
	c.secret = c.file(t, "secret", "000102030405060708090a0b0c0d0e0f\n")
	c.gossipKey = c.file(t, "gossip", base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))+"\n")
	authority := certs.New(t)
	c.certificate = func(name string) peertls.Files { return authority.Node(name, "n1", "n2", "n3", "n4") }
	for _, name := range []string{"n1", "n2", "n3"} {
		c.members = append(c.members, c.member(t, name))
	}
	t.Cleanup(func() {
		for _, m := range c.members {
			if t.Failed() && m.process != nil {
				for _, path := range []string{"/v1/stats", "/v1/cluster", "/readyz"} {
					t.Logf("%s%s: %s", m.name, path, m.says(path))
				}
			}
		}
		for _, m := range c.members {
			m.kill()
			if text, err := os.ReadFile(m.dir + ".log"); err == nil && t.Failed() {
				t.Logf("%s:\n%s", m.name, text)
			}
		}
	})
	return c
}

// member makes a node, which is not started.
func (c *clusterTest) member(t *testing.T, name string) *clusterMember {
	t.Helper()
	return &clusterMember{name: name, dir: filepath.Join(c.dir, name), listen: freeAddresses(t, 1), peers: freeAddresses(t, 3), tls: c.certificate(name)}
}

// init is the command line that makes the cluster.
func (c *clusterTest) init() []string {
	return []string{"cluster", "init", "--cluster", c.name, "--journal-brokers", c.brokers, "--secret-file", c.secret, "--shards", strconv.Itoa(clusterShards)}
}

func (c *clusterTest) initialise(t *testing.T) {
	t.Helper()
	kindred(t, c.bin, c.init()...)
}

func (c *clusterTest) file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// freeAddresses returns the first of n addresses with ports one after the other.
func freeAddresses(t *testing.T, n int) string {
	t.Helper()
	address, err := loopback.Free(n)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// args is the command line of a node.
func (c *clusterTest) args(m *clusterMember) []string {
	return append([]string{
		"serve", "--cluster", c.name, "--node", m.name, "--data", m.dir, "--listen", m.listen, "--node-listen", m.peers, "--join", c.members[0].peers + "," + c.members[1].peers + "," + c.members[2].peers,
		"--journal-brokers", c.brokers, "--secret-file", c.secret, "--memory", "128MiB", "--gossip-key-file", c.gossipKey,
		"--node-tls-cert", m.tls.Cert, "--node-tls-key", m.tls.Key, "--node-tls-ca", m.tls.Authority, "--node-tls-names", strings.Join(m.tls.Names, ","),
	}, c.flags...)
}

func (c *clusterTest) start(t *testing.T, m *clusterMember) {
	t.Helper()
	m.process = exec.Command(cmp.Or(m.bin, c.bin), c.args(m)...)
	m.process.Env = append(m.process.Environ(), m.env...)
	if m.group != 0 {
		m.process.SysProcAttr = m.group.Process()
	}
	out, err := os.OpenFile(m.dir+".log", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	m.process.Stdout, m.process.Stderr = out, out
	if err := errors.Join(m.process.Start(), out.Close()); err != nil {
		t.Fatal(err)
	}
}

func (m *clusterMember) kill() {
	if m.process != nil {
		_ = m.process.Process.Kill()
		_ = m.process.Wait()
		m.process = nil
	}
}

// says is what a node answers, for the log of a test that has failed.
func (m *clusterMember) says(path string) string {
	res, err := (&http.Client{Timeout: 5 * time.Second}).Get("http://" + m.listen + path)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return fmt.Sprintf("%s %s %v", res.Status, text, err)
}

// refused runs a command that has to fail, with this code and these words.
func (c *clusterTest) refused(t *testing.T, what string, code int, words string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.bin, args...)
	out, err := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); err == nil || got != code || !strings.Contains(string(out), words) {
		t.Errorf("%s: exit code %d (%v), want %d with %q:\n%s", what, got, err, code, words, out)
	}
}

// with is the command line of a node with other values of flags; an empty value leaves the flag out.
func (c *clusterTest) with(m *clusterMember, changes map[string]string) (args []string) {
	args = []string{"serve"}
	given := c.args(m)[1:]
	for i := 0; i < len(given); i += 2 {
		value, changed := changes[given[i]]
		switch {
		case !changed:
			args = append(args, given[i], given[i+1])
		case value != "":
			args = append(args, given[i], value)
		}
	}
	for flag, value := range changes {
		if value != "" && !strings.Contains(" "+strings.Join(args, " ")+" ", " "+flag+" ") {
			args = append(args, flag, value)
		}
	}
	return args
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if err = holds(); err == nil {
			return
		}
	}
	t.Fatalf("%s: %v", what, err)
}

// ready waits until nodes are ready: they own what they should, their copies are caught up and the journal answers.
func (c *clusterTest) ready(t *testing.T) {
	t.Helper()
	for _, m := range c.members {
		c.readyOf(t, m)
	}
}

func (c *clusterTest) readyOf(t *testing.T, m *clusterMember) {
	t.Helper()
	eventually(t, m.name+" gets ready", m.isReady)
}

func (m *clusterMember) isReady() error {
	res, err := http.Get("http://" + m.listen + "/readyz")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, text)
	}
	return err
}

// metric is a metric of a node.
func (m *clusterMember) metric(t *testing.T, name string) float64 {
	t.Helper()
	res, err := http.Get("http://" + m.listen + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	t.Fatalf("%s has no metric %s", m.name, name)
	return 0
}

// clusterBatches makes batches of events of few people, who are seen on several devices.
func clusterBatches(rng *rand.Rand, events int) (batches [][]byte) {
	for i := 0; i < events; {
		var b bytes.Buffer
		b.WriteString(`{"batch":[`)
		for n := range clusterBatch {
			if n > 0 {
				b.WriteByte(',')
			}
			at := time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC).Format(time.RFC3339)
			person := rng.IntN(300)
			device := fmt.Sprintf("d%d-%d", person, rng.IntN(3))
			switch rng.IntN(3) {
			case 0:
				fmt.Fprintf(&b, `{"type":"identify","messageId":"m%d","timestamp":%q,"userId":"u%d","anonymousId":%q,"traits":{"email":"p%d@example.com"}}`, i, at, person, device, person)
			case 1:
				fmt.Fprintf(&b, `{"type":"track","event":"Seen","messageId":"m%d","timestamp":%q,"anonymousId":%q}`, i, at, device)
			default:
				fmt.Fprintf(&b, `{"type":"page","messageId":"m%d","timestamp":%q,"userId":"u%d"}`, i, at, person)
			}
			i++
		}
		b.WriteString(`]}`)
		batches = append(batches, b.Bytes())
	}
	return batches
}

// send sends a batch to any node, again until one takes it.
func (c *clusterTest) send(t *testing.T, rng *rand.Rand, body []byte) {
	t.Helper()
	eventually(t, "a batch is taken", func() error {
		to, err := client.New("http://"+c.members[rng.IntN(len(c.members))].listen, nil)
		if err != nil {
			return err
		}
		_, err = to.Events.Send(t.Context(), body, 0)
		return err
	})
}

// settledExport is the export at an address, once nothing is under way.
func settledExport(t *testing.T, url string) (text []byte) {
	t.Helper()
	c, err := client.New(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the export settles", func() error {
		x, err := c.Profiles.Export(t.Context(), client.ExportOptions{Empty: true, Detail: true})
		if err != nil {
			return err
		}
		defer x.Close()
		if text, err = io.ReadAll(x); err == nil && !x.Settled {
			err = errors.New("something is under way")
		}
		return err
	})
	return text
}

// TestCluster: three processes share the shards of a deployment, over mutual TLS and three brokers. Events are sent to any of them while
// one is killed, and later comes back; the export of each is that of one machine, byte for byte. Processes that would harm them are
// refused.
func TestCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("three brokers take long to start")
	}
	rng := rand.New(rand.NewPCG(freshSeed(t), 41))
	c := newClusterTest(t)
	n1 := c.members[0]
	c.refused(t, "a node before init", 1, `make it with "kindred cluster init --cluster `+c.name, c.args(n1)...)
	c.initialise(t)
	c.refused(t, "init again", 4, "it is initialised already", c.init()...)
	for _, m := range c.members {
		c.start(t, m)
	}
	c.refuses(t)
	c.ready(t)

	batches := clusterBatches(rng, clusterEvents)
	for i, body := range batches {
		switch i {
		case len(batches) / 3:
			for _, m := range c.members {
				if owned := m.metric(t, "kindred_cluster_shards_owned"); owned == 0 {
					t.Errorf("%s owns no shard", m.name)
				}
			}
			c.members[1].kill()
			t.Log("n2 was killed")
		case 2 * len(batches) / 3:
			c.start(t, c.members[1])
			t.Log("n2 is started again")
		}
		c.send(t, rng, body)
	}

	in := c.compare(t, batches, c.members...)
	c.ready(t)
	for _, m := range c.members {
		res, err := http.Get("http://" + m.listen + "/v1/changes?cursor=start&follow=false")
		if err != nil {
			t.Fatal(err)
		}
		if res.Body.Close(); res.StatusCode != http.StatusConflict {
			t.Errorf("%s: the change feed answers %s, want 409: there is none", m.name, res.Status)
		}
	}
	c.sharesAudiences(t, in)
	c.sharesKeys(t)
	c.applies(t, "http://"+c.members[1].listen, "few: events(\"Seen\").count() <= 1\n") // n1 is down, which may have decided before
	eventually(t, "n3 has an audience of n2", func() error {
		if people := c.people(t, "http://"+c.members[2].listen, "few"); people == "" {
			return errors.New("nobody is in it")
		}
		return nil
	})
	c.refused(t, "an embedded command on the directory of a node", 1, "it belongs to node n1 of cluster "+c.name, "verify", "--data", n1.dir)
	c.refused(t, "the directory of another node", 1, "it belongs to node n1 of cluster "+c.name, c.with(n1, map[string]string{"--node": "n4"})...)
	c.refused(t, "the directory of a deployment in one process", 1, "it belongs to a deployment in one process", c.with(n1, map[string]string{"--data": filepath.Join(c.dir, "one")})...)
}

// applies defines audiences by way of an address, and waits until they serve there.
func (c *clusterTest) applies(t *testing.T, url, text string) {
	t.Helper()
	kindred(t, c.bin, "audience", "apply", c.file(t, "audiences.yaml", text), "--url", url)
}

// people are the ids of those who are in an audience, as an address lists them; none while it does not know the audience.
func (c *clusterTest) people(t *testing.T, url, audience string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), c.bin, "audience", "members", audience, "--url", url).Output()
	if err != nil {
		return ""
	}
	var ids []string
	for line := range strings.Lines(string(out)) {
		id, _, _ := strings.Cut(line, "\t")
		ids = append(ids, id)
	}
	return strings.Join(ids, "\n")
}

// sharesAudiences defines audiences on one node. All list the people whom one machine lists.
func (c *clusterTest) sharesAudiences(t *testing.T, want map[string]string) {
	t.Helper()
	c.applies(t, "http://"+c.members[0].listen, clusterAudiences)
	for _, m := range c.members {
		for audience, people := range want {
			if people == "" {
				t.Errorf("nobody is in %s: this proves nothing", audience)
			}
			eventually(t, m.name+" lists who is in "+audience, func() error {
				if got := c.people(t, "http://"+m.listen, audience); got != people {
					return fmt.Errorf("it lists %d, want %d and the same", strings.Count(got, "\n"), strings.Count(people, "\n"))
				}
				return nil
			})
		}
	}
}

// sharesKeys makes keys on one node, and shows them to others, also once a node is gone, which may have decided about them. Then n1 is
// down.
func (c *clusterTest) sharesKeys(t *testing.T) {
	t.Helper()
	ask := func(m *clusterMember, key string, want int) func() error {
		return func() error {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+m.listen+"/v1/stats", nil)
			if err != nil {
				return err
			}
			if key != "" {
				req.Header.Set("Authorization", "Bearer "+key)
			}
			res, err := http.DefaultClient.Do(req)
			if err == nil && res.StatusCode != want {
				err = fmt.Errorf("%s answers %s, want %d", m.name, res.Status, want)
			}
			if res != nil {
				err = errors.Join(err, res.Body.Close())
			}
			return err
		}
	}
	create := func(m *clusterMember, kind string) string {
		return strings.TrimSpace(string(kindred(t, c.bin, "keys", "create", kind, "--url", "http://"+m.listen, "--output", "key")))
	}
	for _, view := range []struct{ name, words string }{{"status", "n3"}, {"shards", "owning"}} {
		// n2 was restarted: its shards come back once the view of the nodes is stable.
		eventually(t, "n2 shows "+view.words, func() error {
			out := c.cluster(t, c.members[1], view.name)
			if !strings.Contains(out, view.words) {
				return fmt.Errorf("cluster %s lacks %s:\n%s", view.name, view.words, out)
			}
			t.Logf("\n%s", out)
			return nil
		})
	}
	admin := create(c.members[0], "admin")
	for _, m := range c.members {
		eventually(t, "a key of n1 is needed everywhere", ask(m, "", http.StatusUnauthorized))
		eventually(t, "a key of n1 is good everywhere", ask(m, admin, http.StatusOK))
	}
	c.members[0].kill()
	t.Setenv("KINDRED_KEY", admin)
	second := create(c.members[1], "ops")
	eventually(t, "a key of n2 is good on n3", ask(c.members[2], second, http.StatusOK))
}

// refuses starts nodes that must not run, while the others do.
func (c *clusterTest) refuses(t *testing.T) {
	t.Helper()
	n1 := c.members[0]
	fourth := func(changes map[string]string) []string {
		all := map[string]string{"--node": "n4", "--data": filepath.Join(c.dir, "n4"), "--listen": "127.0.0.1:0", "--node-listen": freeAddresses(t, 3)}
		for flag, value := range changes {
			all[flag] = value
		}
		return c.with(n1, all)
	}
	other := c.file(t, "other", "ff0102030405060708090a0b0c0d0e0f\n")
	eventually(t, "n1 answers", func() error {
		res, err := http.Get("http://" + n1.listen + "/healthz")
		if err == nil {
			err = res.Body.Close()
		}
		return err
	})
	c.refused(t, "a name that is alive", 1, "a node of this name is alive: n1", fourth(map[string]string{"--node": "n1", "--data": filepath.Join(c.dir, "n4-as-n1")})...)
	c.refused(t, "another secret", 2, "the secret is that of deployment", fourth(map[string]string{"--secret-file": other})...)
	c.refused(t, "another number of shards", 2, "--shards 9: the deployment has 8", fourth(map[string]string{"--shards": "9"})...)
	c.refused(t, "other rules", 2, "the rules of a cluster are those that it was made with", fourth(map[string]string{"--rules": "open"})...)
	c.refused(t, "no certificate", 2, "a certificate, its key and an authority are needed", fourth(map[string]string{"--node-tls-cert": "", "--node-tls-key": "", "--node-tls-ca": ""})...)
	c.refused(t, "no key of the gossip", 2, "no key of the gossip", fourth(map[string]string{"--gossip-key-file": ""})...)
	c.refused(t, "nobody to join", 2, "no nodes to join", fourth(map[string]string{"--join": ""})...)
	c.refused(t, "a change feed", 2, `make a cluster with "kindred cluster init --feed"`, append(fourth(nil), "--feed")...)
	c.refused(t, "another cluster", 1, `make it with "kindred cluster init --cluster other"`, fourth(map[string]string{"--cluster": "other"})...)
}
