package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/actors/scoring"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/kindred-id/kindred/node/rulesfile"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/dedupe"
	"github.com/kindred-id/kindred/storage/row"
)

// directory is an open data directory: the store, the rules in force, and the engine that runs under them.
//
// Opening takes its steps in an order that leaves nothing to undo. First every setting is read (N1). Then the store opens,
// which locks the directory. Then an engine replays the log to its end under the rules that it was written under (N5). Then the
// new rules are stored (N4), and only then the engine goes on under them. A sweep in the background judges everything again
// that was judged by other rules: it takes as long as reading all data, so opening does not wait for it.
type directory struct {
	store *storage.Pebble
	// deployment holds what the directory was initialised with, and the rules by which it had been judged when it was
	// opened.
	deployment row.Deployment
	engine     *actors.Engine
	cluster    Cluster // nil: this process is the only one
	registry   *identifier.Registry
	rules      *rulesfile.File
	scores     *scoring.Keeper
	control    score.Control
	tap        ingest.Tap // shows the events of every input to the debugger
	latency    *latency

	formerUntil int64 // see row.Deployment
	judging     judging
}

func (k *Kindred) openDirectory(ctx context.Context) (err error) {
	if _, absent := os.Stat(k.config.Dir); os.IsNotExist(absent) { // it would have no keys (N1)
		if err := k.refuseOpen(false); err != nil {
			return err
		}
	}
	k.directory, err = openDirectory(ctx, &k.config)
	return err
}

func (k *Kindred) closeDirectory(ctx context.Context) error { return k.directory.close(ctx) }

// openDirectory opens a data directory, and creates it if it does not exist. It fails as row.Open does, and for a secret
// or rules that cannot be used.
func openDirectory(ctx context.Context, c *Config) (*directory, error) {
	s, err := c.read()
	if err != nil {
		return nil, err
	}
	open := openStore
	if c.Cluster != nil {
		open = openNode
	}
	store, deployment, err := open(c, &s)
	if err != nil {
		return nil, err
	}
	d := &directory{store: store, deployment: deployment, rules: s.rules, control: s.control, latency: newLatency()}
	if err := d.start(ctx, c, s.memory); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return d, nil
}

// openStore opens the directory as it is, and creates one only if it does not exist.
func openStore(c *Config, s *settled) (*storage.Pebble, row.Deployment, error) {
	so := storage.Options{
		Dir: c.Dir, BlockCacheBytes: s.memory.BlockCache, MemtableBytes: s.memory.Memtables, Logger: c.Logger,
	}
	d := row.Deployment{Shards: c.Shards, Secret: s.secret}
	rules := s.rules
	if c.MustExist {
		d.Shards = 0
	}
	if d.Shards == 0 {
		store, found, err := row.Open(so, d)
		if err == nil || c.MustExist || !errors.Is(err, storage.ErrNotFound) {
			return store, found, err
		}
		d.Shards = defaultShards
	}
	if rules == nil {
		var err error
		if rules, err = rulesfile.Load(defaultRules); err != nil {
			return nil, d, err
		}
	}
	d.Created = time.Now().UnixMilli()
	d.RulesName, d.RulesVersion = rules.Rules.Name, rules.Rules.Version
	return row.Open(so, d)
}

func (d *directory) start(ctx context.Context, c *Config, memory storage.Memory) error {
	stored, err := d.settleRules(c.Dir, c.Locale)
	if err != nil {
		return err
	}
	for _, line := range d.rules.Unreachable() {
		c.Logger.Warn("a limit of the rules cannot be reached", "rules", d.rules.Rules.Name, "why", line)
	}
	if assumed := d.rules.Assumptions(); len(assumed) > 0 && (stored == nil || c.Listen != "") {
		c.Logger.Warn("nobody has said where the customers are, so these settings are assumed", "assumed", strings.Join(assumed, ", "), "remedy", assumedRemedy)
	}
	if stored != nil {
		warnLocale(c.Logger, stored, d.rules)
	}
	identifiers := d.rules.Identifier
	identifiers.PlainKeys = d.deployment.PlainKeys
	registry, err := identifier.New(d.deployment.Secret, identifiers)
	if err != nil {
		return fmt.Errorf("rules %q: %w", d.rules.Rules.Name, err)
	}
	d.registry = registry
	if err := d.decoding(false).Check(registry); err != nil {
		return fmt.Errorf("rules %q: %w", d.rules.Rules.Name, err)
	}
	terms, err := c.Terms.over(d.rules.Scores)
	if err != nil {
		return err
	}
	engine := actors.Config{
		Store: d.store, Deployment: d.deployment, Rules: d.rules.Rules, Before: d.rules.Rules, Memory: memory,
		Feed: c.Feed, Merged: c.OnMerge, Logger: c.Logger, Background: true,
	}
	if stored != nil {
		engine.Before = stored.Rules
	}
	var kept kept
	engine.Keep = func(change *catalog.Change) (err error) {
		kept, err = d.keep(change, stored)
		return err
	}
	if err := d.joinJournal(ctx, c, &engine, stored); err != nil {
		return err
	}
	if d.engine, err = actors.Open(ctx, engine); err != nil {
		d.leaveJournal()
		return fmt.Errorf("open %s: %w", c.Dir, err)
	}
	if d.formerUntil = kept.deployment.FormerUntil; kept.changed && stored != nil {
		d.logChange(d.deployment.RulesName, stored, c.Logger)
	}
	if d.scores, err = scoring.Open(d.engine, terms); err != nil {
		return errors.Join(fmt.Errorf("scores: %w", err), d.engine.Close(ctx))
	}
	if d.cluster != nil {
		d.cluster.Watch(func() { d.readShared(c.Logger) })
	}
	switch {
	case kept.deployment.RulesVersion != d.rules.Rules.Version:
		d.judge(c.Logger)
	case d.engine.Feed().Sweeping():
		d.fillFeed(c.Logger)
	}
	return nil
}

// kept is the outcome of a change of the catalog at the start.
type kept struct {
	deployment row.Deployment
	changed    bool // the rules are new
}

// keep adds the rules in force to a change of the catalog.
//
// When a directory from before fingerprints is opened for the first time, it also stores the time until which the memory of
// duplicates may hold events without a fingerprint. Until then, duplicates are looked up in the old form as well.
func (d *directory) keep(change *catalog.Change, stored *rulesfile.File) (k kept, err error) {
	if k.deployment, err = row.ReadDeployment(change); err != nil {
		return k, err
	}
	if k.changed, err = d.keepRules(change, &k.deployment, stored); err != nil {
		return k, err
	}
	if k.deployment.FormerUntil == row.FormerUnknown {
		k.deployment.SetFormerUntil(change.Batch(), time.Now().Add(2*dedupe.DefaultHorizon).UnixMilli())
	}
	return k, nil
}

// into returns the destination of ingest. live means that events arrive as they happen.
func (d *directory) into(live bool) ingest.Into {
	return ingest.Into{Engine: d.engine, Registry: d.registry, Options: d.decoding(live), Tap: &d.tap}
}

// decoding returns the options of decoders under the rules in force. live means that events arrive as they happen.
func (d *directory) decoding(live bool) segment.Options {
	o := segment.Options{
		Currency: d.rules.Currency, Sources: d.rules.Sources, Live: live,
		SourcesApart: d.rules.SourcesApart, FormerUntil: d.formerUntil, Times: segment.Times(d.rules.Times),
	}
	o.Context = segment.ContextOptions{Keep: d.rules.Context.Keep, MaxBytes: d.rules.Context.MaxBytes}
	o.Context.IP, _ = segment.ParseIPPolicy(d.rules.Context.IP) // the rules were checked
	for _, p := range d.rules.Paths {
		o.Paths = append(o.Paths, segment.Path{Path: p.Path, Namespace: p.Namespace})
	}
	return o
}

// close refuses new events, waits until every accepted event is durable and delivered, and closes the store.
func (d *directory) close(ctx context.Context) error {
	d.judging.end()
	d.leaveJournal()
	err := d.engine.Close(ctx)
	// Keep the first error: a failed store repeats it at every call.
	if closing := d.store.Close(); closing != nil && err == nil {
		err = closing
	}
	return err
}
