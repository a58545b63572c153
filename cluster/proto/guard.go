package proto

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// batchMost is the longest batch on the wire: a whole budget, and its addresses.
const batchMost = budgetMost + 1<<20

// guard checks what arrives before the library sees it (T2): the library panics on an index out of range and on an
// unknown type, lets anybody stop any actor, and forwards to any address.
type guard struct {
	address func() string             // of this node
	known   func(address string) bool // reports whether a member is there
	shards  uint32
	refused atomic.Uint64
}

func (g *guard) options() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(batchMost),
		grpc.MaxConcurrentStreams(8), // of a connection: a peer opens one
		grpc.StreamInterceptor(g.stream),
		grpc.UnaryInterceptor(func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
			g.refused.Add(1)
			return nil, status.Error(codes.Unimplemented, "there are no such calls")
		}),
	}
}

// stream runs a stream of a peer. A panic of the library ends the stream, not the process.
func (g *guard) stream(server any, s grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	defer func() {
		if r := recover(); r != nil {
			g.refused.Add(1)
			err = status.Error(codes.InvalidArgument, "the message could not be taken")
		}
	}()
	return handler(server, &guarded{s, g})
}

// guarded is a stream whose messages are checked.
type guarded struct {
	grpc.ServerStream
	guard *guard
}

// RecvMsg implements grpc.ServerStream.
func (s *guarded) RecvMsg(into any) error {
	for {
		if err := s.ServerStream.RecvMsg(into); err != nil {
			return err
		}
		m, ok := into.(*remote.RemoteMessage)
		if !ok {
			return s.guard.refuse(errors.New("it is no message of the remote"))
		}
		err := s.guard.check(m)
		if errors.Is(err, errStranger) { // perhaps a member that this node has not heard of yet: it sends again
			s.guard.refused.Add(1)
			continue
		}
		if err != nil {
			return s.guard.refuse(err)
		}
		return nil
	}
}

func (g *guard) refuse(err error) error {
	g.refused.Add(1)
	return status.Error(codes.InvalidArgument, err.Error())
}

var errStranger = errors.New("an answer would go to an address that is no member's")

func (g *guard) check(m *remote.RemoteMessage) error {
	switch t := m.MessageType.(type) {
	case *remote.RemoteMessage_ConnectRequest:
		if t.ConnectRequest.GetServerConnection() == nil {
			return errors.New("it connects as no node")
		}
		return nil
	case *remote.RemoteMessage_MessageBatch:
		return g.batch(t.MessageBatch)
	}
	return errors.New("it is neither a connection nor a batch")
}

func (g *guard) batch(b *remote.MessageBatch) error {
	for _, name := range b.TypeNames {
		if !typeNames[name] {
			return errors.New("a type is none of the three")
		}
	}
	own := g.address()
	for _, target := range b.Targets {
		if target.GetAddress() != own || !g.process(target.GetId()) {
			return errors.New("a target is no door of this node")
		}
	}
	for _, sender := range b.Senders {
		if sender.GetId() != answersName {
			return errors.New("a sender takes no answers")
		}
		if !g.known(sender.GetAddress()) {
			return errStranger
		}
	}
	for i, e := range b.Envelopes {
		inRange := func(what string, index int32, length int) error {
			if index < 0 || int(index) >= length {
				return fmt.Errorf("message %d: %s %d of %d", i, what, index, length)
			}
			return nil
		}
		if err := errors.Join(
			inRange("type", e.TypeId, len(b.TypeNames)),
			inRange("target", e.Target, len(b.Targets)),
			inRange("sender", e.Sender, len(b.Senders)+1), // 0 stands for no sender
			inRange("serializer", e.SerializerId, 1),
			inRange("header", int32(len(e.MessageHeader.GetHeaderData())), 1),
		); err != nil {
			return err
		}
	}
	return nil
}

// process reports whether a name is a door of a shard, or the one for answers.
func (g *guard) process(id string) bool {
	number, ok := strings.CutPrefix(id, doorPrefix)
	if !ok {
		return id == answersName
	}
	shard, err := strconv.ParseUint(number, 10, 32)
	return err == nil && shard < uint64(g.shards) && number == strconv.FormatUint(shard, 10)
}
