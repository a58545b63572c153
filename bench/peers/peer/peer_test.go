package peer

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/kindred-id/kindred/bench/outcome"
	"github.com/kindred-id/kindred/bench/peers/server"
	"github.com/kindred-id/kindred/bench/workload"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/node/rulesfile"
	"github.com/kindred-id/kindred/storage"
	"github.com/redis/go-redis/v9"
)

func environment(t testing.TB) *Env {
	t.Helper()
	registry, err := identifier.New([16]byte{1}, identifier.Config{})
	if err != nil {
		t.Fatal(err)
	}
	rules, err := rulesfile.Load("open")
	if err != nil {
		t.Fatal(err)
	}
	return &Env{Memory: storage.MinMemory, Registry: registry, Rules: rules.Rules}
}

// open opens a peer. A server that is not installed skips the test, except in CI.
func open(t *testing.T, kind Kind, env *Env) Peer {
	t.Helper()
	p, err := kind.Open(t.Context(), env)
	if errors.Is(err, server.ErrMissing) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return p
}

// Peers that keep events have the line of each event once.
func TestEventsAreKept(t *testing.T) {
	env := environment(t)
	retail, _ := workload.Named("retail")
	lines := retail.Lines(2, 3000)
	count := func(name string, p Peer, count func() (int64, error)) {
		want := int64(people(t, p, lines).Events())
		if n, err := count(); err != nil || n != want {
			t.Errorf("%s: %d lines: want %d (%v)", name, n, want, err)
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		p := open(t, sqliteKind(true), env).(*sqlite)
		count("sqlite", p, func() (n int64, err error) {
			err = p.db.QueryRowContext(t.Context(), "SELECT count(*) FROM events WHERE length(line) > 0").Scan(&n)
			return n, err
		})
	})
	t.Run("postgres", func(t *testing.T) {
		p := open(t, postgresKind("on", true), env).(*postgres)
		count("postgres", p, func() (n int64, err error) {
			conn, err := pgx.Connect(t.Context(), p.server.Address())
			if err != nil {
				return 0, err
			}
			defer conn.Close(t.Context())
			err = conn.QueryRow(t.Context(), "SELECT count(*) FROM events WHERE length(line) > 0").Scan(&n)
			return n, err
		})
	})
	t.Run("redis", func(t *testing.T) {
		p := open(t, redisKind("always", true), env).(*redisScript)
		count("redis", p, func() (n int64, err error) {
			lists, err := p.client.Keys(t.Context(), "e:*").Result()
			for _, list := range lists {
				length, failed := p.client.LLen(t.Context(), list).Result()
				n, err = n+length, errors.Join(err, failed)
			}
			return n, err
		})
	})
}

func people(t *testing.T, p Peer, lines []byte) *outcome.Outcome {
	t.Helper()
	n, err := p.Run(t.Context(), lines)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Count(string(lines), "\n"); n != want {
		t.Errorf("%d events: want %d", n, want)
	}
	o, err := p.Outcome(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Every peer makes the same people as the engine, of a stream of logins and of one of merges.
func TestPeersAgree(t *testing.T) {
	env := environment(t)
	for _, kind := range Kinds() {
		t.Run(kind.Name, func(t *testing.T) {
			for _, name := range []string{"retail", "merge-storm"} {
				w, _ := workload.Named(name)
				lines := w.Lines(2, 3000)
				p, reference := open(t, kind, env), open(t, engineKind, env)
				got := people(t, p, lines)
				if got == nil {
					continue // it makes no people
				}
				if err := got.Differ(people(t, reference, lines)); err != nil {
					t.Errorf("%s: %v", w.Name, err)
				}
				if p.DiskBytes() == 0 && kind.Name != ceilingKind.Name {
					t.Errorf("%s: nothing on disk", w.Name)
				}
			}
		})
	}
}

// A peer that leaves out a merge, or counts wrongly, is found out.
func TestFaultsAreFound(t *testing.T) {
	env := environment(t)
	storm, _ := workload.Named("merge-storm")
	lines := storm.Lines(2, 3000)
	want := people(t, open(t, engineKind, env), lines)
	t.Run("postgres without merges", func(t *testing.T) {
		p := open(t, postgresKind("off", false), env)
		q := p.(*postgres)
		q.wrong, q.size, q.workers = true, 50, 1 // most merges are between batches
		if err := people(t, p, lines).Differ(want); err == nil {
			t.Error("not found")
		}
	})
	for name, edit := range map[string][2]string{
		"redis without merges":    {"elseif person ~= other then", "elseif false then"},
		"redis that counts twice": {"'events', person, 1", "'events', person, 2"},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, redisKind("everysec", false), env)
			script := strings.Replace(resolveScript, edit[0], edit[1], 1)
			if script == resolveScript {
				t.Fatal("the edit applies no more")
			}
			p.(*redisScript).script = redis.NewScript(script)
			if err := people(t, p, lines).Differ(want); err == nil {
				t.Error("not found")
			}
		})
	}
	t.Run("a wrong union", func(t *testing.T) {
		joining, _ := workload.Pairs(9, 1)
		_, join := workload.Pairs(9, 1)
		p := open(t, ceilingKind, env)
		if _, err := p.Run(t.Context(), append(joining, join...)); err != nil {
			t.Fatal(err)
		}
		q := open(t, ceilingKind, env)
		if err := people(t, p, nil).Differ(people(t, q, joining)); err == nil {
			t.Error("not found")
		}
	})
}
