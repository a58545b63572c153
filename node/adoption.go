package node

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/node/rulesfile"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// Adopted is the directory of a deployment in one process that becomes a cluster. It is read, locked, and not changed.
type Adopted struct {
	Deployment  Deployment
	Rows        *storage.Batch // the definition: what belongs to no shard, without the secret
	Shards      storage.Reader // has the rows of shards
	Key         string         // the secret of the key that was made, which is told nowhere else
	DeadLetters int            // that stay behind: they are each node's own
	MadeSecret  bool           // the file of the secret was made

	store *storage.Pebble
}

// Close gives the directory back.
func (a *Adopted) Close() error { return a.store.Close() }

// Adopt opens a directory to make a cluster of its deployment. c names the directory, and the file of the secret, which gets the
// directory's if it does not exist. With the name of a key it also makes one that may do everything.
//
// It refuses what nodes can't go on with: they open nothing under former rules, and can't go on with the change feed of one process: its orders say
// nothing of what follows from what once shards have clocks of their own.
func Adopt(ctx context.Context, c Config, key string) (a *Adopted, err error) {
	if err := errors.Join(
		unless(c.SecretFile != "", "no file for the secret; give --secret-file FILE, which gets that of the directory if it does not exist: every node needs it"),
		unless(!c.Feed.On, "nodes can't begin to tell of people who are there already: leave --feed out"),
		unless(c.Rules == "" && c.Locale == (Locale{}), "the directory has its rules, region and currency: leave --rules, --region and --currency out"),
	); err != nil {
		return nil, &ConfigError{err}
	}
	store, of, err := row.Open(storage.Options{Dir: c.Dir, ReadOnly: true, Logger: c.Logger}, row.Deployment{})
	if err != nil {
		return nil, err
	}
	a = &Adopted{store: store, Shards: store}
	if err = a.open(ctx, &c, &of, key); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return a, nil
}

func (a *Adopted) open(ctx context.Context, c *Config, of *row.Deployment, key string) error {
	rules, err := adoptable(a.store, c, of)
	if err != nil {
		return err
	}
	log := &defining{rows: &storage.Batch{}}
	if err := row.ScanCatalog(a.store, func(k, value []byte) error {
		switch {
		case row.OfNode(k):
			a.DeadLetters++
		case !row.IsClusterNode(k): // of a cluster that the directory came from
			log.rows.Set(k, value)
		}
		return nil
	}); err != nil {
		return err
	}
	if key != "" { // beside those that are there
		if a.Key, err = firstKey(ctx, catalog.New(a.store, log), key, time.Now().UnixMilli()); err != nil {
			return err
		}
	}
	if a.Rows, err = row.Concealed(log.rows); err != nil {
		return err
	}
	a.Deployment = deploymentOf(of, rules.Rules)
	a.MadeSecret, err = keepSecret(c.SecretFile, of.Secret)
	return err
}

// adoptable returns the rules of a directory that nodes can go on with.
func adoptable(store storage.Reader, c *Config, of *row.Deployment) (*rulesfile.File, error) {
	first := fmt.Sprintf("; run \"kindred stats --data %s\" with this program, which ends once that is done, and give the command again", c.Dir)
	const anew = "leave it in one process, or send its events to a new cluster, which \"kindred cluster init\" makes without --from"
	if c.Shards != 0 && c.Shards != of.Shards {
		return nil, &ConfigError{fmt.Errorf("--shards %d: %s has %d, and their number is fixed; leave the setting out", c.Shards, c.Dir, of.Shards)}
	}
	if of.Shards > MaxClusterShards {
		return nil, fmt.Errorf("%s has %d shards, and a cluster has at most %d: %s", c.Dir, of.Shards, MaxClusterShards, anew)
	}
	switch _, err := row.ReadFeedSettings(store); {
	case err == nil:
		return nil, fmt.Errorf("%s has a change feed, and nodes can't go on with that of one process: %s", c.Dir, anew)
	case !errors.Is(err, storage.ErrNotFound):
		return nil, err
	}
	doc, err := row.ReadRules(store)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, fmt.Errorf("%s has no rules: its first start was cut short%s", c.Dir, first)
	}
	if err != nil {
		return nil, err
	}
	rules, err := rulesfile.ParseKept("the rules stored in "+c.Dir, doc.Text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w; use the program that wrote them", err)
	case rules.Rules.Version != doc.Version, rules.Rules.Former, of.FormerUntil == row.FormerUnknown:
		return nil, fmt.Errorf("%s was last used by an earlier program%s", c.Dir, first)
	case of.RulesVersion != doc.Version:
		return nil, fmt.Errorf("%s: its rules were changed, and not everything is judged by them yet%s", c.Dir, first)
	}
	return rules, nil
}

// keepSecret makes the file of a secret, or compares it. It reports whether it was made.
func keepSecret(path string, secret row.Secret) (made bool, err error) {
	is, err := readSecret(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return false, &ConfigError{err}
	case is != secret:
		return false, &ConfigError{fmt.Errorf("%s has another secret than the directory; name a file that does not exist, which gets that one", path)}
	default:
		return false, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return false, fmt.Errorf("keep the secret: %w", err)
	}
	_, err = fmt.Fprintln(f, hex.EncodeToString(secret[:]))
	return true, errors.Join(err, f.Sync(), f.Close())
}
