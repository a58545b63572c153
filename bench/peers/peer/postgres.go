package peer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/kindred-id/kindred/bench/outcome"
	"github.com/kindred-id/kindred/bench/peers/server"
	"golang.org/x/sync/errgroup"
)

// How much PostgreSQL takes at once, and how many connections bring it: the fastest of what BenchmarkPostgres tries. A larger
// batch costs less an event, and answers later.
const (
	postgresBatch   = 5000
	postgresWorkers = 3
	singleWorkers   = 16
)

// postgresSettings are those of a server that is tuned for writing.
var postgresSettings = []string{
	"shared_buffers=1GB", "max_wal_size=8GB", "checkpoint_timeout=30min", "wal_buffers=64MB", "max_connections=40",
	"fsync=on", "full_page_writes=on", "wal_compression=on", "jit=off", "work_mem=64MB",
}

func postgresKind(commit string, events bool) Kind {
	durability := "each transaction synced before its answer"
	if commit == "off" {
		durability = "transactions of the last 0.6 s may be lost"
	}
	return newPostgresKind(named("postgres, commit "+commit, events), durability, commit, postgresBatch, postgresWorkers, events)
}

var postgresSingleKind = newPostgresKind("postgres, single events", "each transaction synced before its answer", "on", 1, singleWorkers, false)

func newPostgresKind(name, durability, commit string, size, workers int, events bool) Kind {
	settings := append([]string{"synchronous_commit=" + commit}, postgresSettings...)
	return Kind{
		Name: name, Durability: durability, Slow: size == 1,
		Settings: fmt.Sprintf("%d events a transaction from %d connections; %s", size, workers, strings.Join(settings, " ")),
		Open: func(ctx context.Context, env *Env) (Peer, error) {
			s, err := server.StartPostgres(ctx, env.Dir, settings)
			if err != nil {
				return nil, err
			}
			p := &postgres{env: env, server: s, size: size, workers: workers, keeps: events}
			if err := p.create(ctx); err != nil {
				return nil, errors.Join(err, s.Stop())
			}
			return p, nil
		},
	}
}

// postgres resolves in the manner that is usual in products on a relational database: a table of people, a table of
// identifiers with the person of each, and merges in the transaction of the event that shows them. A person who was merged
// away leads to the other, so that a merge need not rewrite the identifiers of either.
type postgres struct {
	env           *Env
	server        *server.Server
	size, workers int
	people        atomic.Int64 // the last person's id
	retries       atomic.Int64 // transactions that met a deadlock
	keeps         bool         // the lines of events
	wrong         bool         // leaves merges out; only tests set it
}

const postgresSchema = `
CREATE TABLE seen (hash bigint PRIMARY KEY);
CREATE TABLE identifiers (key uuid PRIMARY KEY, person bigint NOT NULL);
CREATE TABLE people (id bigint PRIMARY KEY, events bigint NOT NULL, first bigint NOT NULL, last bigint NOT NULL, merged_into bigint)
	WITH (fillfactor = 70);
CREATE TABLE events (route uuid, time bigint, hash bigint, line bytea, PRIMARY KEY (route, time, hash));
`

func (p *postgres) create(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, p.server.Address())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, postgresSchema)
	return err
}

// Run implements Peer.
func (p *postgres) Run(ctx context.Context, lines []byte) (int, error) {
	group, ctx := errgroup.WithContext(ctx)
	work := make(chan []byte)
	group.Go(func() error {
		defer close(work)
		for _, chunk := range chunks(lines, p.size) {
			select {
			case work <- chunk:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	var events atomic.Int64
	for range p.workers {
		group.Go(func() error {
			conn, err := pgx.Connect(ctx, p.server.Address())
			if err != nil {
				return err
			}
			defer conn.Close(context.WithoutCancel(ctx))
			for chunk := range work {
				b := &batch{}
				n, err := decode(p.env, chunk, b.add)
				if err != nil {
					return err
				}
				b.sort()
				if err := p.commit(ctx, conn, b); err != nil {
					return err
				}
				events.Add(int64(n))
			}
			return nil
		})
	}
	err := group.Wait()
	return int(events.Load()), err
}

// commitTries bounds how many times a batch meets a deadlock.
const commitTries = 100

// commit takes a batch, and takes it again after a deadlock.
func (p *postgres) commit(ctx context.Context, conn *pgx.Conn, b *batch) (err error) {
	for range commitTries {
		err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return (&postgresBatchRun{postgres: p, tx: tx, batch: b}).run(ctx) })
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "40P01" && pg.Code != "40001" {
			return err
		}
		p.retries.Add(1)
	}
	return err
}

// Outcome implements Peer.
func (p *postgres) Outcome(ctx context.Context) (*outcome.Outcome, error) {
	conn, err := pgx.Connect(ctx, p.server.Address())
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	f := newForest()
	rows, err := conn.Query(ctx, "SELECT key, person FROM identifiers")
	if err != nil {
		return nil, err
	}
	var key [16]byte
	var person int64
	if _, err := pgx.ForEachRow(rows, []any{&key, &person}, func() error {
		f.identifier(keyOf(key[:]), person)
		return nil
	}); err != nil {
		return nil, err
	}
	if rows, err = conn.Query(ctx, "SELECT id, events, merged_into FROM people"); err != nil {
		return nil, err
	}
	var events int64
	var into *int64
	_, err = pgx.ForEachRow(rows, []any{&person, &events, &into}, func() error {
		if f.events[person] = uint64(events); into != nil {
			f.into[person] = *into
		}
		return nil
	})
	return f.outcome(), err
}

func (p *postgres) Outside() time.Duration      { return p.server.ProcessorTime() }
func (p *postgres) DiskBytes() int64            { return p.server.DiskBytes() }
func (p *postgres) Version() string             { return p.server.Version }
func (p *postgres) Close(context.Context) error { return p.server.Stop() }
