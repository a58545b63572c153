package peer

import (
	"context"
	"database/sql"
	"errors"
)

// sqliteRun is one transaction.
type sqliteRun struct {
	*sqlite
	*batch
	tx *sql.Tx
}

func (r *sqliteRun) run(ctx context.Context) error {
	var fresh []uint64
	see := r.tx.StmtContext(ctx, r.see)
	for _, hash := range r.seen {
		result, err := see.ExecContext(ctx, int64(hash))
		if err != nil {
			return err
		}
		if n, _ := result.RowsAffected(); n == 0 {
			continue
		}
		fresh = append(fresh, hash)
		if r.keeps {
			e := &r.events[r.known[hash]]
			route := raw(e.keys[0])
			if _, err := r.tx.StmtContext(ctx, r.keep).ExecContext(ctx, route[:], e.time, int64(hash), e.line); err != nil {
				return err
			}
		}
	}
	r.connect(fresh)
	person := make([]int64, len(r.keys))
	roots, born := make([][]int64, len(r.groups)), make([]int64, len(r.groups))
	look := r.tx.StmtContext(ctx, r.look)
	for i, key := range r.keys {
		b := raw(key)
		err := look.QueryRowContext(ctx, b[:]).Scan(&person[i])
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return err
		}
		root, err := r.root(ctx, person[i])
		if err != nil {
			return err
		}
		roots[r.group[i]] = append(roots[r.group[i]], root)
	}
	for g := range r.groups {
		if len(roots[g]) == 0 {
			r.people++
			born[g] = r.people
		}
	}
	list, of := r.join(roots, born)
	for i := range list {
		if err := r.write(ctx, &list[i]); err != nil {
			return err
		}
	}
	identify := r.tx.StmtContext(ctx, r.identify)
	for i, key := range r.keys {
		if to := list[of[r.group[i]]].person; to != person[i] {
			b := raw(key)
			if _, err := identify.ExecContext(ctx, b[:], to); err != nil {
				return err
			}
		}
	}
	return nil
}

// root follows people who were merged away.
func (r *sqliteRun) root(ctx context.Context, person int64) (int64, error) {
	read := r.tx.StmtContext(ctx, r.sqlite.person)
	for {
		var into, events, first, last int64
		if err := read.QueryRowContext(ctx, person).Scan(&into, &events, &first, &last); err != nil {
			return 0, err
		}
		if into == 0 {
			return person, nil
		}
		person = into
	}
}

// write merges people and counts the events of the one who stays.
func (r *sqliteRun) write(ctx context.Context, j *joined) error {
	for _, loser := range j.losers {
		var into, events, first, last int64
		if err := r.tx.StmtContext(ctx, r.sqlite.person).QueryRowContext(ctx, loser).Scan(&into, &events, &first, &last); err != nil {
			return err
		}
		j.counts.count(events, first, last)
		if _, err := r.tx.StmtContext(ctx, r.drop).ExecContext(ctx, loser, j.person); err != nil {
			return err
		}
	}
	statement := r.count
	if j.fresh {
		statement = r.born
	}
	_, err := r.tx.StmtContext(ctx, statement).ExecContext(ctx, j.person, j.counts.events, j.counts.first, j.counts.last)
	return err
}
