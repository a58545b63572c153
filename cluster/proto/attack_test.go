//go:build !race

// The library sets the logger of gRPC, which all nodes of a process share, at each start: with several nodes in one process
// the race detector sees that and nothing else. `make wires` runs these tests without it.

package proto

import (
	"context"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"github.com/kindred-id/kindred/internal/testkit/certs"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// attacker is a client that is not ours.
type attacker struct {
	t      *testing.T
	client remote.RemotingClient
}

func attack(t *testing.T, address string, c credentials.TransportCredentials) *attacker {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(c), grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(1<<30)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &attacker{t, remote.NewRemotingClient(conn)}
}

// send opens a stream, sends messages, and returns how the stream ends.
func (a *attacker) send(messages ...*remote.RemoteMessage) error {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), 20*time.Second)
	defer cancel()
	s, err := a.client.Receive(ctx)
	if err != nil {
		return err
	}
	for _, m := range messages {
		if err := s.Send(m); err != nil {
			break // the stream says why
		}
	}
	if err := s.CloseSend(); err != nil {
		return err
	}
	for {
		if _, err := s.Recv(); err != nil {
			return err
		}
	}
}

func batch(change func(b *remote.MessageBatch)) *remote.RemoteMessage {
	body, err := proto.Marshal(&Envelope{Body: []byte("evil")})
	if err != nil {
		panic(err)
	}
	b := &remote.MessageBatch{
		TypeNames: []string{"kindred.wire.Envelope"},
		Envelopes: []*remote.MessageEnvelope{{MessageData: body}},
	}
	change(b)
	return &remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: b}}
}

// T2: whatever a peer with a good certificate sends, the node refuses it and lives. Without guard and recovery, most of these end the
// process.
func TestAttacks(t *testing.T) {
	t.Parallel() // the library waits a second to start
	g := newGroup(t, true)
	n1, n2 := g.start("n1"), g.start("n2")
	door := actor.NewPID(n1.address, "shard-1")
	a := attack(t, n1.address, credentials.NewTLS(g.files("n2").Client()))
	whole := func(b *remote.MessageBatch) { b.Targets = []*actor.PID{door} }
	with := func(change func(b *remote.MessageBatch)) *remote.RemoteMessage {
		return batch(func(b *remote.MessageBatch) { whole(b); change(b) })
	}
	if err := a.send(batch(whole)); err == nil || status.Code(err) == codes.InvalidArgument {
		t.Fatalf("a good batch: %v", err)
	}
	until(t, "the good one", func() bool { return n1.shards.got() == 1 })

	for _, call := range []func(context.Context) error{
		func(ctx context.Context) error {
			_, err := a.client.ListProcesses(ctx, &remote.ListProcessesRequest{Pattern: "."})
			return err
		},
		func(ctx context.Context) error {
			_, err := a.client.GetProcessDiagnostics(ctx, &remote.GetProcessDiagnosticsRequest{Pid: door})
			return err
		},
	} {
		if err := call(t.Context()); status.Code(err) != codes.Unimplemented {
			t.Errorf("a call: %v", err)
		}
	}
	for name, m := range map[string]*remote.RemoteMessage{
		"type index":          with(func(b *remote.MessageBatch) { b.Envelopes[0].TypeId = 7 }),
		"negative type index": with(func(b *remote.MessageBatch) { b.Envelopes[0].TypeId = -1 }),
		"target index":        with(func(b *remote.MessageBatch) { b.Envelopes[0].Target = 1 }),
		"negative target":     with(func(b *remote.MessageBatch) { b.Envelopes[0].Target = -1 }),
		"no targets":          with(func(b *remote.MessageBatch) { b.Targets = nil }),
		"sender index":        with(func(b *remote.MessageBatch) { b.Envelopes[0].Sender = 1 }),
		"negative sender":     with(func(b *remote.MessageBatch) { b.Envelopes[0].Sender = -1 }),
		"serializer":          with(func(b *remote.MessageBatch) { b.Envelopes[0].SerializerId = 2 }),
		"another serializer":  with(func(b *remote.MessageBatch) { b.Envelopes[0].SerializerId = 1 }),
		"unknown type":        with(func(b *remote.MessageBatch) { b.TypeNames[0] = "no.such.Type" }),
		"a stop":              with(func(b *remote.MessageBatch) { b.TypeNames[0], b.Envelopes[0].MessageData = "actor.Stop", nil }),
		"a poison pill":       with(func(b *remote.MessageBatch) { b.TypeNames[0], b.Envelopes[0].MessageData = "actor.PoisonPill", nil }),
		"a termination":       with(func(b *remote.MessageBatch) { b.TypeNames[0], b.Envelopes[0].MessageData = "actor.Terminated", nil }),
		"a header": with(func(b *remote.MessageBatch) {
			b.Envelopes[0].MessageHeader = &remote.MessageHeader{HeaderData: map[string]string{"a": "b"}}
		}),
		"another actor":    with(func(b *remote.MessageBatch) { b.Targets[0] = actor.NewPID(n1.address, "activator") }),
		"the event stream": with(func(b *remote.MessageBatch) { b.Targets[0] = actor.NewPID(n1.address, "eventstream") }),
		"no such shard":    with(func(b *remote.MessageBatch) { b.Targets[0] = actor.NewPID(n1.address, "shard-99") }),
		"another spelling": with(func(b *remote.MessageBatch) { b.Targets[0] = actor.NewPID(n1.address, "shard-01") }),
		"another node":     with(func(b *remote.MessageBatch) { b.Targets[0] = actor.NewPID("10.1.2.3:80", "shard-1") }),
		"answer to an actor": with(func(b *remote.MessageBatch) {
			b.Senders = []*actor.PID{actor.NewPID(n2.address, "activator")}
		}),
		"not the message that it says": with(func(b *remote.MessageBatch) { b.Envelopes[0].MessageData = []byte{0xff, 0xff} }),
		"a client's connection": {MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: &remote.ConnectRequest{
			ConnectionType: &remote.ConnectRequest_ClientConnection{ClientConnection: &remote.ClientConnection{SystemId: "x"}},
		}}},
		"no connection at all": {MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: &remote.ConnectRequest{
			ConnectionType: &remote.ConnectRequest_ServerConnection{},
		}}},
		"nothing": {},
	} {
		if err := a.send(m); status.Code(err) != codes.InvalidArgument && status.Code(err) != codes.Unknown {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := a.send(with(func(b *remote.MessageBatch) { b.Envelopes[0].MessageData = make([]byte, 100<<20) })); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("100 MiB: %v", err)
	}
	before := n1.Stats().Refused
	stranger := with(func(b *remote.MessageBatch) {
		b.Senders, b.Envelopes[0].Sender = []*actor.PID{actor.NewPID("10.1.2.3:80", answersName)}, 1
	})
	_ = a.send(stranger)
	if n1.Stats().Refused != before+1 {
		t.Error("an answer would go anywhere")
	}
	if got := ask(t, n2, n1, "are you there"); got != "n1 3 2 are you there" {
		t.Error(got)
	}
	if n1.shards.got() != 1 {
		t.Errorf("%d messages got in", n1.shards.got())
	}
}

// T1: without a certificate, with another authority's, or under a name that is not listed, nobody is heard.
func TestStrangers(t *testing.T) {
	t.Parallel() // the library waits a second to start
	g := newGroup(t, true)
	n1, n2 := g.start("n1"), g.start("n2")
	foreign := certs.New(t).Node("n2", "n1")
	foreign.Authority = g.files("n1").Authority
	unlisted := g.files("n9")
	nameless := g.files("n2").Client()
	nameless.GetClientCertificate = nil
	for name, c := range map[string]credentials.TransportCredentials{
		"clear text":        insecure.NewCredentials(),
		"no certificate":    credentials.NewTLS(nameless),
		"another authority": credentials.NewTLS(foreign.Client()),
		"a name not listed": credentials.NewTLS(unlisted.Client()),
	} {
		err := attack(t, n1.address, c).send(batch(func(b *remote.MessageBatch) { b.Targets = []*actor.PID{actor.NewPID(n1.address, "shard-1")} }))
		if status.Code(err) != codes.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n1.shards.got() != 0 {
		t.Error("a stranger was heard")
	}
	ask(t, n2, n1, "hello")
}
