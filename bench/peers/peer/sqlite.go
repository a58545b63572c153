package peer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kindred-id/kindred/bench/outcome"
	_ "modernc.org/sqlite" // the driver
)

// sqliteBatch is how many events one transaction takes.
const sqliteBatch = 5000

var sqliteSettings = []string{"journal_mode(WAL)", "synchronous(FULL)", "cache_size(-262144)", "temp_store(MEMORY)", "wal_autocheckpoint(10000)"}

func sqliteKind(events bool) Kind {
	return Kind{
		Name: named("sqlite", events), Durability: "each transaction synced before its answer",
		Settings: fmt.Sprintf("modernc.org/sqlite, in this process; %d events a transaction; %s", sqliteBatch, strings.Join(sqliteSettings, " ")),
		Open: func(ctx context.Context, env *Env) (Peer, error) {
			s := &sqlite{env: env, keeps: events}
			var err error
			if s.dir, err = os.MkdirTemp(env.Dir, "kindred-sqlite-"); err != nil {
				return nil, err
			}
			address := "file:" + filepath.Join(s.dir, "db") + "?_txlock=immediate"
			for _, setting := range sqliteSettings {
				address += "&_pragma=" + setting
			}
			if s.db, err = sql.Open("sqlite", address); err != nil {
				return nil, err
			}
			s.db.SetMaxOpenConns(1)
			if err := s.prepare(ctx); err != nil {
				return nil, errors.Join(err, s.Close(ctx))
			}
			return s, nil
		},
	}
}

const sqliteSchema = `
CREATE TABLE seen (hash INTEGER PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE identifiers (key BLOB PRIMARY KEY, person INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE people (id INTEGER PRIMARY KEY, events INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, merged_into INTEGER);
CREATE TABLE events (route BLOB, time INTEGER, hash INTEGER, line BLOB, PRIMARY KEY (route, time, hash)) WITHOUT ROWID;
`

// sqlite resolves as postgres does, with one writer and so without locks. Its statements are short, since a call costs no
// round trip.
type sqlite struct {
	env    *Env
	dir    string
	db     *sql.DB
	people int64 // the last person's id
	keeps  bool  // the lines of events

	see, keep, look, identify, person, count, drop, born *sql.Stmt
}

func (s *sqlite) prepare(ctx context.Context) error {
	if _, err := s.db.ExecContext(ctx, sqliteSchema); err != nil {
		return err
	}
	for _, statement := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&s.see, "INSERT INTO seen VALUES (?) ON CONFLICT DO NOTHING"},
		{&s.keep, "INSERT INTO events VALUES (?, ?, ?, ?)"},
		{&s.look, "SELECT person FROM identifiers WHERE key = ?"},
		{&s.identify, "INSERT INTO identifiers VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET person = excluded.person"},
		{&s.person, "SELECT coalesce(merged_into, 0), events, first, last FROM people WHERE id = ?"},
		{&s.count, "UPDATE people SET events = events + ?2, first = min(first, ?3), last = max(last, ?4) WHERE id = ?1"},
		{&s.drop, "UPDATE people SET merged_into = ?2 WHERE id = ?1"},
		{&s.born, "INSERT INTO people VALUES (?, ?, ?, ?, NULL)"},
	} {
		var err error
		if *statement.to, err = s.db.PrepareContext(ctx, statement.text); err != nil {
			return err
		}
	}
	return nil
}

// Run implements Peer.
func (s *sqlite) Run(ctx context.Context, lines []byte) (events int, err error) {
	for _, chunk := range chunks(lines, sqliteBatch) {
		b := &batch{}
		n, err := decode(s.env, chunk, b.add)
		if err != nil {
			return events, err
		}
		b.sort()
		tx, err := s.db.BeginTx(ctx, nil)
		if err != nil {
			return events, err
		}
		if err := (&sqliteRun{sqlite: s, batch: b, tx: tx}).run(ctx); err != nil {
			return events, errors.Join(err, tx.Rollback())
		}
		if err := tx.Commit(); err != nil {
			return events, err
		}
		events += n
	}
	return events, nil
}

// Outcome implements Peer.
func (s *sqlite) Outcome(ctx context.Context) (*outcome.Outcome, error) {
	f := newForest()
	err := s.each(ctx, "SELECT key, person FROM identifiers", func(rows *sql.Rows) error {
		var key []byte
		var person int64
		err := rows.Scan(&key, &person)
		if err == nil {
			f.identifier(keyOf(key), person)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	err = s.each(ctx, "SELECT id, events, coalesce(merged_into, 0) FROM people", func(rows *sql.Rows) error {
		var person, events, into int64
		err := rows.Scan(&person, &events, &into)
		if f.events[person] = uint64(events); into != 0 {
			f.into[person] = into
		}
		return err
	})
	return f.outcome(), err
}

func (s *sqlite) each(ctx context.Context, query string, fn func(*sql.Rows) error) error {
	rows, err := s.db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *sqlite) Outside() time.Duration { return 0 }
func (s *sqlite) DiskBytes() int64       { return treeBytes(s.dir) }

// Version implements Peer.
func (s *sqlite) Version() (version string) {
	_ = s.db.QueryRow("SELECT sqlite_version()").Scan(&version)
	return version
}

// Close implements Peer.
func (s *sqlite) Close(context.Context) error { return errors.Join(s.db.Close(), os.RemoveAll(s.dir)) }
