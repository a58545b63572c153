package peer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/bench/outcome"
	"github.com/kindred-id/kindred/bench/peers/server"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"
)

// How many events one call of the script takes, how many calls are sent before their answers are read, and how many
// connections send: the fastest of what BenchmarkRedis tries.
const (
	redisCall    = 100
	redisPipe    = 20
	redisClients = 2
)

func redisKind(sync string, events bool) Kind {
	return newRedisKind(sync, events, redisBatches{redisCall, redisPipe, redisClients})
}

// redisBatches are the sizes of what Redis takes at once.
type redisBatches struct{ call, pipe, clients int }

func newRedisKind(sync string, events bool, size redisBatches) Kind {
	durability := "each batch of calls synced before its answers"
	if sync == "everysec" {
		durability = "the last second may be lost"
	}
	return Kind{
		Name: named("redis, appendfsync "+sync, events), Durability: durability,
		Settings: fmt.Sprintf("one Lua script; %d events a call, %d calls a pipeline, %d connections; appendonly yes, appendfsync %s, no snapshots",
			size.call, size.pipe, size.clients, sync),
		Open: func(ctx context.Context, env *Env) (Peer, error) {
			s, err := server.StartRedis(ctx, env.Dir, "appendonly", "yes", "appendfsync", sync)
			if err != nil {
				return nil, err
			}
			return &redisScript{env: env, server: s, client: s.Client(), script: redis.NewScript(resolveScript), keeps: events, size: size}, nil
		},
	}
}

// resolveScript takes events: each is its hash, its time, its line or nothing, the number of its identifiers, and these.
//
//	seen    set of hashes
//	ids     identifier → person
//	into    person who was merged away → person
//	events, first, last    person → number
//	e:IDENTIFIER    the lines of the events with this route
const resolveScript = `
local call, at, taken = redis.call, 1, 0
local function root(person)
	local start, into = person, call('HGET', 'into', person)
	while into do person = into; into = call('HGET', 'into', person) end
	if start ~= person and call('HGET', 'into', start) ~= person then call('HSET', 'into', start, person) end
	return person
end
while at <= #ARGV do
	local hash, time, line, n = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
	if call('SADD', 'seen', hash) == 1 then
		local person, new = false, {}
		for i = at + 4, at + 3 + n do
			local known = call('HGET', 'ids', ARGV[i])
			if not known then new[#new + 1] = ARGV[i]
			else
				local other = root(known)
				if not person then person = other
				elseif person ~= other then
					call('HSET', 'into', other, person)
					local events = call('HGET', 'events', other)
					if events then
						call('HINCRBY', 'events', person, events)
						call('HDEL', 'events', other)
						local first, last = call('HGET', 'first', other), call('HGET', 'last', other)
						if first < call('HGET', 'first', person) then call('HSET', 'first', person, first) end
						if last > call('HGET', 'last', person) then call('HSET', 'last', person, last) end
						call('HDEL', 'first', other); call('HDEL', 'last', other)
					end
				end
			end
		end
		if not person then person = tostring(call('INCR', 'people')) end
		for i = 1, #new do call('HSET', 'ids', new[i], person) end
		call('HINCRBY', 'events', person, 1)
		local first, last = call('HGET', 'first', person), call('HGET', 'last', person)
		if not first or time < first then call('HSET', 'first', person, time) end
		if not last or time > last then call('HSET', 'last', person, time) end
		if line ~= '' then call('RPUSH', 'e:' .. ARGV[at + 4], line) end
		taken = taken + 1
	end
	at = at + 4 + n
end
return taken
`

// redisScript resolves in one script, which Redis runs as one step.
type redisScript struct {
	env    *Env
	server *server.Server
	client *redis.Client
	script *redis.Script
	keeps  bool // the lines of events
	size   redisBatches
}

// Run implements Peer.
func (r *redisScript) Run(ctx context.Context, lines []byte) (int, error) {
	if err := r.script.Load(ctx, r.client).Err(); err != nil {
		return 0, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(r.size.clients)
	var events atomic.Int64
	for _, chunk := range chunks(lines, r.size.call*r.size.pipe) {
		group.Go(func() error {
			pipe := r.client.Pipeline()
			for _, call := range chunks(chunk, r.size.call) {
				var args []any
				n, err := decode(r.env, call, func(e *event) { args = r.append(args, e) })
				if err != nil {
					return err
				}
				events.Add(int64(n))
				r.script.EvalSha(ctx, pipe, nil, args...)
			}
			_, err := pipe.Exec(ctx)
			return err
		})
	}
	err := group.Wait()
	return int(events.Load()), err
}

func (r *redisScript) append(args []any, e *event) []any {
	var line []byte
	if r.keeps {
		line = e.line
	}
	args = append(args, binary.LittleEndian.AppendUint64(nil, e.seen), strconv.FormatInt(e.time, 10), line, len(e.keys))
	for _, key := range e.keys {
		b := raw(key)
		args = append(args, b[:])
	}
	return args
}

// Outcome implements Peer.
func (r *redisScript) Outcome(ctx context.Context) (*outcome.Outcome, error) {
	f := newForest()
	var failed error
	number := func(text string) int64 {
		n, err := strconv.ParseInt(text, 10, 64)
		failed = errors.Join(failed, err)
		return n
	}
	err := errors.Join(
		r.each(ctx, "ids", func(key, person string) { f.identifier(keyOf([]byte(key)), number(person)) }),
		r.each(ctx, "into", func(from, to string) { f.into[number(from)] = number(to) }),
		r.each(ctx, "events", func(person, events string) { f.events[number(person)] = uint64(number(events)) }),
	)
	return f.outcome(), errors.Join(err, failed)
}

// each reads a hash. Nothing is written meanwhile, so each field comes once.
func (r *redisScript) each(ctx context.Context, hash string, fn func(field, value string)) error {
	it := r.client.HScan(ctx, hash, 0, "", 10_000).Iterator()
	for it.Next(ctx) {
		field := it.Val()
		if !it.Next(ctx) {
			break
		}
		fn(field, it.Val())
	}
	return it.Err()
}

func (r *redisScript) Outside() time.Duration { return r.server.ProcessorTime() }
func (r *redisScript) DiskBytes() int64       { return r.server.DiskBytes() }
func (r *redisScript) Version() string        { return r.server.Version }

// Close implements Peer.
func (r *redisScript) Close(context.Context) error {
	return errors.Join(r.client.Close(), r.server.Stop())
}
