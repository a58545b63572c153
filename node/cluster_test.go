package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/cluster"
	"github.com/kindred-id/kindred/internal/broker"
	"github.com/kindred-id/kindred/internal/testkit/kafkatest"
	"github.com/kindred-id/kindred/storage"
)

// asNode is the environment variable with which the program of the tests is a node of a cluster, and nothing else.
const asNode = "KINDRED_TEST_NODE"

// member is one node of a cluster of processes.
type member struct {
	Name, Dir, Secret, Listen string
	Gossip, Remote, Bulk      string
	Join, Brokers             []string
	Replicas                  int

	process *exec.Cmd
}

func (m *member) config() *cluster.Config {
	return &cluster.Config{
		Cluster: "shop", Name: m.Name, Gossip: m.Gossip, Remote: m.Remote, Bulk: m.Bulk, Join: m.Join,
		Brokers: broker.Connection{Brokers: m.Brokers}, Replicas: m.Replicas, InsecureDev: true,
	}
}

// serveMember is a node until it is told to stop.
func serveMember() error {
	var m member
	if err := json.Unmarshal([]byte(os.Getenv(asNode)), &m); err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("node", m.Name)
	c := m.config()
	c.Logger = logger
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	k, err := Open(ctx, Config{
		Dir: m.Dir, SecretFile: m.Secret, Shards: clusterShards, Memory: storage.MinMemory, Listen: m.Listen, Logger: logger,
		Cluster: func(ctx context.Context, d Deployment, s storage.Store) (Cluster, error) {
			n, err := cluster.New(ctx, *c, cluster.Deployment(d), s)
			if err != nil {
				return nil, err
			}
			return n, nil
		},
	})
	if err != nil {
		return err
	}
	return errors.Join(k.Wait(ctx), k.Stop(context.Background()))
}

func (m *member) start(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	m.process = exec.Command(self)
	m.process.Env = append(os.Environ(), asNode+"="+string(text))
	out, err := os.OpenFile(m.Dir+".log", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	m.process.Stdout, m.process.Stderr = out, out
	if err := errors.Join(m.process.Start(), out.Close()); err != nil {
		t.Fatal(err)
	}
}

func (m *member) kill() {
	if m.process != nil {
		_ = m.process.Process.Kill()
		_ = m.process.Wait()
		m.process = nil
	}
}

// owned counts how often the node has taken a shard.
func (m *member) owned(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(m.Dir + ".log")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(text, []byte("a shard is owned"))
}

const (
	clusterShards = 8
	clusterEvents = 2000
	clusterBatch  = 25
)

// clusterBatches makes batches of events of few people, who are seen on several devices.
func clusterBatches(rng *rand.Rand) (batches [][]byte) {
	for i := 0; i < clusterEvents; {
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

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// exported is the export at an address, once nothing is under way.
func exported(t *testing.T, address string) []byte {
	t.Helper()
	c, err := client.New("http://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for tries := 0; ; tries++ {
		var text []byte
		settled := false
		x, err := c.Profiles.Export(t.Context(), client.ExportOptions{Empty: true, Detail: true})
		if err == nil {
			text, err = io.ReadAll(x)
			x.Close()
			settled = x.Settled
		}
		if err == nil && settled {
			return text
		}
		if tries == 60 {
			t.Fatalf("the export does not settle (%v): %v", settled, err)
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// TestThreeNodes: three processes share the shards of a deployment. Events are sent to any of them while one is killed, and later comes
// back; the export of each node is that of one machine, byte for byte.
func TestThreeNodes(t *testing.T) {
	if testing.Short() {
		t.Skip("three brokers take long to start")
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 41))
	b := kafkatest.Start(t, kafkatest.Options{Nodes: 3})
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("000102030405060708090a0b0c0d0e0f\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	members := make([]*member, 3)
	for i := range members {
		members[i] = &member{
			Name: fmt.Sprintf("n%d", i+1), Dir: filepath.Join(dir, fmt.Sprintf("n%d", i+1)), Secret: secret, Listen: freeAddress(t),
			Gossip: freeAddress(t), Remote: freeAddress(t), Bulk: freeAddress(t), Brokers: b.Brokers(), Replicas: 3,
		}
	}
	for _, m := range members {
		m.Join = []string{members[0].Gossip, members[1].Gossip, members[2].Gossip}
	}
	if err := cluster.Create(t.Context(), members[0].config(), clusterShards); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, m := range members {
			m.kill()
			if text, err := os.ReadFile(m.Dir + ".log"); err == nil && t.Failed() {
				t.Logf("%s:\n%s", m.Name, text)
			}
		}
	})
	for _, m := range members {
		m.start(t)
	}
	batches := clusterBatches(rng)
	send := func(body []byte) {
		t.Helper()
		var last error
		for range 240 {
			m := members[rng.IntN(len(members))]
			c, err := client.New("http://"+m.Listen, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, last = c.Events.Send(t.Context(), body, 0); last == nil {
				return
			}
			time.Sleep(250 * time.Millisecond)
		}
		t.Fatalf("no node takes a batch: %v", last)
	}
	for i, body := range batches {
		switch i {
		case len(batches) / 3:
			members[1].kill()
			t.Log("n2 was killed")
			for _, m := range members {
				if m.owned(t) == 0 {
					t.Errorf("%s has owned no shard", m.Name)
				}
			}
		case 2 * len(batches) / 3:
			members[1].start(t)
			t.Log("n2 is started again")
		}
		send(body)
	}

	one, err := Open(t.Context(), Config{Dir: filepath.Join(dir, "one"), SecretFile: secret, Shards: clusterShards, Memory: storage.MinMemory, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	alone, err := client.New(one.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range batches {
		if _, err := alone.Events.Send(t.Context(), body, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	want := exported(t, one.http.listener.Addr().String())
	if err := one.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if got := exported(t, m.Listen); !bytes.Equal(got, want) {
			t.Errorf("%s: an export of %d lines, want %d lines and the same", m.Name, bytes.Count(got, []byte("\n")), bytes.Count(want, []byte("\n")))
		}
	}
}
