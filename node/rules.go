package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/node/rulesfile"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// settleRules reads the rules that the directory was last used with, nil if it has none yet. They stay in force unless
// others were given, which must be able to follow them.
func (d *directory) settleRules(dir string) (stored *rulesfile.File, err error) {
	encoded, err := row.ReadRules(d.store)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		if d.rules == nil {
			d.rules, err = presetOf(dir, d.deployment)
			return nil, err
		}
		return nil, nil
	case err != nil:
		return nil, err
	}
	stored, err = rulesfile.ParseKept("the rules kept in "+dir, encoded.Text)
	if err == nil && stored.Rules.Version != encoded.Version {
		err = fmt.Errorf("the rules kept in %s have version %s by this program, and %s by the one that wrote them", dir, version(stored.Rules.Version), version(encoded.Version))
	}
	switch {
	case err != nil: // other rules can't follow what can't be finished under these
		return nil, fmt.Errorf("%w (use the program that wrote them)", err)
	case d.rules == nil:
		d.rules = stored.Today()
	}
	if err := d.rules.Follow(stored); err != nil {
		return nil, fmt.Errorf("rules %q can't follow the rules %q of %s: %w", d.rules.Rules.Name, stored.Rules.Name, dir, err)
	}
	return stored, nil
}

// presetOf finds the rules of a directory that stores none, because its first start did not get that far.
func presetOf(dir string, d row.Deployment) (*rulesfile.File, error) {
	if slices.Contains(rulesfile.Presets(), d.RulesName) {
		file, err := rulesfile.Load(d.RulesName)
		if err != nil || file.Rules.Version == d.RulesVersion {
			return file, err
		}
	}
	return nil, fmt.Errorf("%s was begun with the rules %q and does not keep them (give --rules with their file, or with a preset)", dir, d.RulesName)
}

// finishUnder replays the log to its end under the rules that it was written under, if other rules are to follow (N5). The
// log holds the events that came in, and the messages that were sent as those rules judged. Under other rules a replay
// would judge differently, and what it would send, evidence included, would be lost.
func (d *directory) finishUnder(ctx context.Context, stored *rulesfile.File, c actors.Config) error {
	if stored == nil || stored.Rules.Version == d.rules.Rules.Version {
		return nil
	}
	c.Rules, c.Background, c.Feed.On = stored.Rules, false, false
	engine, err := actors.Open(ctx, c)
	if err != nil {
		return err
	}
	return engine.Close(ctx)
}

// keepRules stores the rules in force before anything happens under them (N4), and logs what changed. If they judge
// differently, the store says from now on that nothing is judged: a stop in the middle must not look as if judging was done.
func (d *directory) keepRules(of *row.Deployment, stored *rulesfile.File, logger *slog.Logger) error {
	now := d.rules.Rules
	doc := row.RulesDocument{Version: now.Version, Text: d.rules.YAML()}
	if stored != nil && bytes.Equal(stored.YAML(), doc.Text) {
		return nil
	}
	var batch storage.Batch
	if err := doc.Put(&batch); err != nil {
		return err
	}
	from, judged := of.RulesName, of.RulesVersion
	if judged != now.Version {
		judged = 0
	}
	if err := of.SetRules(&batch, now.Name, judged); err != nil {
		return err
	}
	if err := d.store.Commit(&batch); err != nil {
		return err
	}
	if stored != nil {
		logger.Info("the rules have changed", "from", from, "from_version", version(stored.Rules.Version),
			"to", now.Name, "to_version", version(now.Version), "changes", strings.Join(rulesfile.Changes(stored, d.rules), "; "))
	}
	return nil
}

func version(v uint64) string { return fmt.Sprintf("%016x", v) }
