package peer

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/kindred-id/kindred/graph"
)

// postgresBatchRun is one transaction. Its statements lock in one order, so that deadlocks are rare: events by hash,
// identifiers by key, people by id. Only where a person was merged away meanwhile does it lock one more.
type postgresBatchRun struct {
	*postgres
	*batch
	tx     pgx.Tx
	person []int64 // by key
	fresh  []int64 // by group: the new person that it proposed, 0 if it has none
}

func (r *postgresBatchRun) run(ctx context.Context) error {
	fresh, err := r.dedupe(ctx)
	if err != nil || len(fresh) == 0 {
		return err
	}
	if r.keeps {
		if err := r.keep(ctx, fresh); err != nil {
			return err
		}
	}
	r.connect(fresh)
	if err := r.identify(ctx); err != nil {
		return err
	}
	roots, err := r.roots(ctx)
	if err != nil {
		return err
	}
	list, of := r.join(roots, r.fresh)
	if err := r.merge(ctx, list); err != nil {
		return err
	}
	if err := r.write(ctx, list); err != nil {
		return err
	}
	return r.shorten(ctx, list, of)
}

// dedupe returns the events that are new.
func (r *postgresBatchRun) dedupe(ctx context.Context) (fresh []uint64, err error) {
	hashes := make([]int64, len(r.seen))
	for i, seen := range r.seen {
		hashes[i] = int64(seen)
	}
	rows, err := r.tx.Query(ctx, "INSERT INTO seen SELECT unnest($1::bigint[]) ON CONFLICT DO NOTHING RETURNING hash", hashes)
	if err != nil {
		return nil, err
	}
	var hash int64
	_, err = pgx.ForEachRow(rows, []any{&hash}, func() error {
		fresh = append(fresh, uint64(hash))
		return nil
	})
	return fresh, err
}

// keep writes the lines of events, so that a timeline of each route can be read.
func (r *postgresBatchRun) keep(ctx context.Context, fresh []uint64) error {
	rows := pgx.CopyFromSlice(len(fresh), func(i int) ([]any, error) {
		e := &r.events[r.known[fresh[i]]]
		return []any{raw(e.keys[0]), e.time, int64(fresh[i]), e.line}, nil
	})
	_, err := r.tx.CopyFrom(ctx, pgx.Identifier{"events"}, []string{"route", "time", "hash", "line"}, rows)
	return err
}

// identify finds the person of each identifier, and puts those that are new to a person of their group, or to a new one.
func (r *postgresBatchRun) identify(ctx context.Context) error {
	r.person, r.fresh = make([]int64, len(r.keys)), make([]int64, len(r.groups))
	if err := r.look(ctx); err != nil {
		return err
	}
	has := make([]int64, len(r.groups))
	for i, person := range r.person {
		if person != 0 {
			has[r.group[i]] = person
		}
	}
	var keys [][16]byte
	var people []int64
	for i, person := range r.person {
		if person != 0 {
			continue
		}
		g := r.group[i]
		if has[g] == 0 {
			r.fresh[g] = r.people.Add(1)
			has[g] = r.fresh[g]
		}
		keys, people = append(keys, raw(r.keys[i])), append(people, has[g])
	}
	if len(keys) == 0 {
		return nil
	}
	tag, err := r.tx.Exec(ctx, `INSERT INTO identifiers SELECT * FROM unnest($1::uuid[], $2::bigint[]) ON CONFLICT DO NOTHING`, keys, people)
	if err != nil {
		return err
	}
	if int(tag.RowsAffected()) == len(keys) {
		for i, person := range r.person {
			if person == 0 {
				r.person[i] = has[r.group[i]]
			}
		}
		return nil
	}
	return r.look(ctx) // another transaction put some of them to another person
}

// look reads which person each identifier is put to.
func (r *postgresBatchRun) look(ctx context.Context) error {
	place := make(map[graph.NodeKey]int, len(r.keys))
	keys := make([][16]byte, len(r.keys))
	for i, key := range r.keys {
		place[key], keys[i] = i, raw(key)
	}
	rows, err := r.tx.Query(ctx, "SELECT key, person FROM identifiers WHERE key = ANY($1::uuid[])", keys)
	if err != nil {
		return err
	}
	var key [16]byte
	var person int64
	_, err = pgx.ForEachRow(rows, []any{&key, &person}, func() error {
		r.person[place[keyOf(key[:])]] = person
		return nil
	})
	return err
}

// roots locks the people of each group, following those who were merged away.
func (r *postgresBatchRun) roots(ctx context.Context) ([][]int64, error) {
	mine := map[int64]bool{}
	for _, person := range r.fresh {
		mine[person] = true
	}
	into, locked := map[int64]int64{}, map[int64]bool{}
	var ask []int64
	want := func(person int64) {
		if !mine[person] && !locked[person] {
			locked[person] = true
			ask = append(ask, person)
		}
	}
	for _, person := range r.person {
		want(person)
	}
	for len(ask) > 0 {
		rows, err := r.tx.Query(ctx, "SELECT id, merged_into FROM people WHERE id = ANY($1) ORDER BY id FOR UPDATE", ask)
		if err != nil {
			return nil, err
		}
		ask = nil
		var id int64
		var to *int64
		if _, err := pgx.ForEachRow(rows, []any{&id, &to}, func() error {
			if to != nil {
				into[id] = *to
				want(*to)
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	roots := make([][]int64, len(r.groups))
	for i, person := range r.person {
		for into[person] != 0 {
			person = into[person]
		}
		if !mine[person] {
			roots[r.group[i]] = append(roots[r.group[i]], person)
		}
	}
	return roots, nil
}

// merge moves the counts of the people who are merged away to those who stay.
func (r *postgresBatchRun) merge(ctx context.Context, list []joined) error {
	var from, to []int64
	place := map[int64]*joined{}
	for i := range list {
		place[list[i].person] = &list[i]
		for _, loser := range list[i].losers {
			from, to = append(from, loser), append(to, list[i].person)
		}
	}
	if len(from) == 0 || r.wrong {
		return nil
	}
	mine := map[int64]bool{}
	for _, person := range r.fresh {
		mine[person] = person != 0
	}
	var born, bornTo []int64
	for i, loser := range from {
		if mine[loser] {
			born, bornTo = append(born, loser), append(bornTo, to[i])
		}
	}
	if len(born) > 0 {
		_, err := r.tx.Exec(ctx, `INSERT INTO people SELECT id, 0, 0, 0, into_id FROM unnest($1::bigint[], $2::bigint[]) d(id, into_id)`, born, bornTo)
		if err != nil {
			return err
		}
	}
	rows, err := r.tx.Query(ctx, `UPDATE people p SET merged_into = d.into_id FROM unnest($1::bigint[], $2::bigint[]) d(id, into_id)
		WHERE p.id = d.id RETURNING d.into_id, p.events, p.first, p.last`, from, to)
	if err != nil {
		return err
	}
	var winner, events, first, last int64
	_, err = pgx.ForEachRow(rows, []any{&winner, &events, &first, &last}, func() error {
		place[winner].counts.count(events, first, last)
		return nil
	})
	return err
}

// write counts the events of those who stay.
func (r *postgresBatchRun) write(ctx context.Context, list []joined) error {
	var old, born columns
	for i := range list {
		if list[i].fresh {
			born.add(&list[i])
		} else {
			old.add(&list[i])
		}
	}
	if len(born.id) > 0 {
		if _, err := r.tx.Exec(ctx, `INSERT INTO people SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])`,
			born.id, born.events, born.first, born.last); err != nil {
			return err
		}
	}
	if len(old.id) == 0 {
		return nil
	}
	_, err := r.tx.Exec(ctx, `UPDATE people p SET events = p.events + d.events, first = least(p.first, d.first), last = greatest(p.last, d.last)
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) d(id, events, first, last) WHERE p.id = d.id`,
		old.id, old.events, old.first, old.last)
	return err
}

// columns are rows of people.
type columns struct{ id, events, first, last []int64 }

func (c *columns) add(j *joined) {
	c.id, c.events = append(c.id, j.person), append(c.events, j.counts.events)
	c.first, c.last = append(c.first, j.counts.first), append(c.last, j.counts.last)
}

// shorten puts the identifiers of the batch directly to the people who stay, so that the next look-up follows nobody.
func (r *postgresBatchRun) shorten(ctx context.Context, list []joined, of []int) error {
	var keys [][16]byte
	var people []int64
	for i, person := range r.person {
		if to := list[of[r.group[i]]].person; to != person && !r.wrong {
			keys, people = append(keys, raw(r.keys[i])), append(people, to)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	_, err := r.tx.Exec(ctx, `UPDATE identifiers i SET person = d.person FROM unnest($1::uuid[], $2::bigint[]) d(key, person) WHERE i.key = d.key`,
		keys, people)
	return err
}
