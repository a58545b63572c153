// Package node puts a whole Kindred together in one process: the data directory, the rules, the
// identifiers' registry and the engine.
//
//	Open ──► row.Open ──► rulesfile.Load ──► identifier.New(secret) ──► actors.Open
//
// Invariants:
//   - N1: a directory is only made once everything that can be wrong with the settings is known to be right.
//   - N2: rules that are not named stay those of the last time, word for word. A change is logged, key by key.
//   - N3: Open either gives an instance or leaves nothing open.
//   - N4: the rules in the store are those that the instance runs under, from before its first input on.
//     While they differ from those by which everything was judged, that is under way, or begins anew.
//   - N5: a log is replayed under the rules that it was written under, and never under others.
package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/scoring"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/kindred-id/kindred/node/rulesfile"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/dedupe"
	"github.com/kindred-id/kindred/storage/row"
)

// DefaultShards is the number of shards of a new directory that asks for none: enough for many
// machines, and cheap on one.
const DefaultShards = 64

// DefaultRules is the preset of a new directory that names no rules.
const DefaultRules = "default"

// Options say what to open. The zero value of all but Dir is a default.
type Options struct {
	Dir string
	// Rules is a preset or a file. Empty stands for those that the directory was last used with, and
	// DefaultRules in a new one.
	Rules string
	// Memory bounds the process, in bytes; 0 is storage.DefaultMemory.
	Memory int64
	// Shards is fixed when a directory is made; 0 takes what is there, or DefaultShards.
	Shards int
	// SecretFile holds the secret that keys the hashes of identifiers: 32 hexadecimal digits. Empty
	// takes what is there, or a random one. Two directories with one secret give the same public ids.
	SecretFile string
	// MustExist refuses to make a new directory.
	MustExist bool
	// Feed says whether there is a change feed. Once on, it stays on.
	Feed actors.FeedSettings
	// Logger is for warnings and notes; default none.
	Logger *slog.Logger
	// Terms come before the settings of scores that the rules name.
	Terms Terms
	// ControlShare is the share of customers in the control group, 0 to 1. Default 0: nobody.
	ControlShare float64
	// OnChange is actors.Config.Changed.
	OnChange func([]graph.Change)
}

// Instance is an open deployment. Close it.
type Instance struct {
	Store *storage.Pebble
	// Deployment is what the directory was initialised with, and by which rules it was judged when it was opened.
	Deployment row.Deployment
	Engine     *actors.Engine
	Registry   *identifier.Registry
	Rules      *rulesfile.File
	Scores     *scoring.Keeper
	Control    score.Control // who gets no offers

	formerUntil int64 // see row.Deployment

	sweep     sync.WaitGroup // the recheck after a change of rules
	stopSweep func()
	sweepErr  error // why the recheck stopped; valid once sweep is done
}

// Open opens a data directory, and makes it when it is new. It fails as row.Open does, and with
// what is wrong with the rules or the secret.
func Open(ctx context.Context, o Options) (*Instance, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Memory == 0 {
		o.Memory = storage.DefaultMemory()
	}
	memory, err := storage.SplitMemory(o.Memory)
	if err != nil {
		return nil, err
	}
	control, err := score.NewControl(o.ControlShare)
	if err != nil {
		return nil, err
	}
	var secret row.Secret
	if o.SecretFile != "" {
		if secret, err = ReadSecret(o.SecretFile); err != nil {
			return nil, err
		}
	}
	var rules *rulesfile.File
	if o.Rules != "" {
		if rules, err = rulesfile.Load(o.Rules); err != nil {
			return nil, err
		}
	}
	if err := o.Terms.check(rules); err != nil {
		return nil, err
	}
	store, deployment, err := openStore(o, memory, secret, rules)
	if err != nil {
		return nil, err
	}
	i := &Instance{Store: store, Deployment: deployment, Rules: rules, Control: control}
	if err := i.start(ctx, o, memory); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return i, nil
}

// openStore opens the directory as it is, and only makes a new one when there is nothing.
func openStore(o Options, memory storage.Memory, secret row.Secret, rules *rulesfile.File) (*storage.Pebble, row.Deployment, error) {
	so := storage.Options{
		Dir: o.Dir, BlockCacheBytes: memory.BlockCache, MemtableBytes: memory.Memtables, Logger: o.Logger,
	}
	d := row.Deployment{Shards: o.Shards, Secret: secret}
	if o.MustExist {
		d.Shards = 0
	}
	if d.Shards == 0 {
		store, found, err := row.Open(so, d)
		if err == nil || o.MustExist || !errors.Is(err, storage.ErrNotFound) {
			return store, found, err
		}
		d.Shards = DefaultShards
	}
	if rules == nil {
		var err error
		if rules, err = rulesfile.Load(DefaultRules); err != nil {
			return nil, d, err
		}
	}
	d.Created = time.Now().UnixMilli()
	d.RulesName, d.RulesVersion = rules.Rules.Name, rules.Rules.Version
	return row.Open(so, d)
}

func (i *Instance) start(ctx context.Context, o Options, memory storage.Memory) error {
	deployment := i.Deployment // what is settled below changes this copy
	stored, err := i.settleRules(o.Dir, deployment)
	if err != nil {
		return err
	}
	for _, line := range i.Rules.Unreachable() {
		o.Logger.Warn("a limit of the rules can't be reached", "rules", i.Rules.Rules.Name, "why", line)
	}
	identifiers := i.Rules.Identifier
	identifiers.PlainKeys = deployment.PlainKeys
	registry, err := identifier.New(deployment.Secret, identifiers)
	if err != nil {
		return fmt.Errorf("rules %q: %w", i.Rules.Rules.Name, err)
	}
	i.Registry = registry
	if err := i.IngestOptions(false).Check(registry); err != nil {
		return fmt.Errorf("rules %q: %w", i.Rules.Rules.Name, err)
	}
	terms, err := o.Terms.over(i.Rules.Scores)
	if err != nil {
		return err
	}
	engine := actors.Config{
		Store: i.Store, Deployment: deployment, Rules: i.Rules.Rules, Before: i.Rules.Rules, Memory: memory,
		Feed: o.Feed, Changed: o.OnChange, Logger: o.Logger, Background: true,
	}
	if stored != nil {
		engine.Before = stored.Rules
	}
	if err := i.finishUnder(ctx, stored, engine); err != nil {
		return fmt.Errorf("open %s: %w", o.Dir, err)
	}
	if err := i.keepRules(&deployment, stored, o.Logger); err != nil {
		return err
	}
	if err := i.noteFormerMemory(&deployment); err != nil {
		return err
	}
	if i.Engine, err = actors.Open(ctx, engine); err != nil {
		return fmt.Errorf("open %s: %w", o.Dir, err)
	}
	if i.Scores, err = scoring.Open(i.Store, i.Engine, terms); err != nil {
		return errors.Join(fmt.Errorf("scores: %w", err), i.Engine.Close(ctx))
	}
	switch {
	case deployment.RulesVersion != i.Rules.Rules.Version:
		i.judge(deployment, o.Logger)
	case i.Engine.FeedBehind():
		i.tellFeed(o.Logger)
	}
	return nil
}

// noteFormerMemory writes down, when a directory from before fingerprints is opened for the first time, until when its
// memory of duplicates may hold events without: they are asked for by what they were remembered by.
func (i *Instance) noteFormerMemory(d *row.Deployment) error {
	if d.FormerUntil == row.FormerUnknown {
		var batch storage.Batch
		d.SetFormerUntil(&batch, time.Now().Add(2*dedupe.DefaultHorizon).UnixMilli())
		if err := i.Store.Commit(&batch); err != nil {
			return err
		}
	}
	i.formerUntil = d.FormerUntil
	return nil
}

// tellFeed lets the change feed tell of what was there before it.
func (i *Instance) tellFeed(logger *slog.Logger) {
	logger.Info("the change feed tells of everything that is there")
	ctx, cancel := context.WithCancel(context.Background())
	i.stopSweep = cancel
	i.sweep.Go(func() {
		i.sweepErr = i.Engine.Recheck(ctx)
		switch {
		case i.sweepErr == nil:
			logger.Info("the change feed is complete")
		case ctx.Err() == nil:
			logger.Error("telling the change feed stopped: it begins anew at the next start", "error", i.sweepErr)
		}
	})
}

// Into is what this deployment takes events into. live says that events come as they happen.
func (i *Instance) Into(live bool) ingest.Into {
	return ingest.Into{Engine: i.Engine, Registry: i.Registry, Options: i.IngestOptions(live)}
}

// IngestOptions are the options of decoders of this deployment. live says that events come as they happen.
func (i *Instance) IngestOptions(live bool) segment.Options {
	o := segment.Options{
		Currency: i.Rules.Currency, Sources: i.Rules.Sources, Live: live,
		SourcesApart: i.Rules.SourcesApart, FormerUntil: i.formerUntil, Times: segment.Times(i.Rules.Times),
	}
	o.Context = segment.ContextOptions{Keep: i.Rules.Context.Keep, MaxBytes: i.Rules.Context.MaxBytes}
	o.Context.IP, _ = segment.ParseIPPolicy(i.Rules.Context.IP) // the rules were checked
	for _, p := range i.Rules.Paths {
		o.Paths = append(o.Paths, segment.Path{Path: p.Path, Namespace: p.Namespace})
	}
	return o
}

// Judged waits until everything is judged by the rules in force, where they have changed. A command
// that ends soon calls it, or the change would begin anew with every one.
func (i *Instance) Judged(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		i.sweep.Wait()
		close(done)
	}()
	select {
	case <-done:
		return i.sweepErr
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close takes nothing more in, waits until all that was taken is durable and delivered, and closes
// the directory.
func (i *Instance) Close(ctx context.Context) error {
	if i.stopSweep != nil {
		i.stopSweep()
		i.sweep.Wait()
	}
	err := i.Engine.Close(ctx)
	// A store that failed says the same at every turn: once is enough.
	if closing := i.Store.Close(); closing != nil && err == nil {
		err = closing
	}
	return err
}
