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

// settleRules finds the rules that the directory was last used with, nil where it has none yet, and
// makes them the instance's own unless it was given others. Those have to be able to follow.
func (i *Instance) settleRules(dir string, d row.Deployment) (stored *rulesfile.File, err error) {
	encoded, err := row.ReadRules(i.Store)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		if i.Rules == nil {
			i.Rules, err = presetOf(dir, d)
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
	case i.Rules == nil:
		i.Rules = stored.Today()
	}
	if err := i.Rules.Follow(stored); err != nil {
		return nil, fmt.Errorf("rules %q can't follow the rules %q of %s: %w", i.Rules.Rules.Name, stored.Rules.Name, dir, err)
	}
	return stored, nil
}

// presetOf finds the rules of a directory that keeps none, since its first start did not get that far.
func presetOf(dir string, d row.Deployment) (*rulesfile.File, error) {
	if slices.Contains(rulesfile.Presets(), d.RulesName) {
		file, err := rulesfile.Load(d.RulesName)
		if err != nil || file.Rules.Version == d.RulesVersion {
			return file, err
		}
	}
	return nil, fmt.Errorf("%s was begun with the rules %q and does not keep them (give --rules with their file, or with a preset)", dir, d.RulesName)
}

// finishUnder brings what the log holds to its end under the rules that it was written under, where
// others are to follow. A log says what came in, and what was sent is in it as it was judged then: under
// other rules a replay would judge otherwise, and what it would send, evidence included, would be lost.
func (i *Instance) finishUnder(ctx context.Context, stored *rulesfile.File, c actors.Config) error {
	if stored == nil || stored.Rules.Version == i.Rules.Rules.Version {
		return nil
	}
	c.Rules, c.Background, c.Feed.On = stored.Rules, false, false
	engine, err := actors.Open(ctx, c)
	if err != nil {
		return err
	}
	return engine.Close(ctx)
}

// keepRules writes down the rules in force before anything happens under them (N4), and logs what has
// changed. Where they judge otherwise than those before, what is stored counts as judged by none from
// now on: a stop in the middle must not look as if it were done.
func (i *Instance) keepRules(d *row.Deployment, stored *rulesfile.File, logger *slog.Logger) error {
	now := i.Rules.Rules
	doc := row.RulesDocument{Version: now.Version, Text: i.Rules.YAML()}
	if stored != nil && bytes.Equal(stored.YAML(), doc.Text) {
		return nil
	}
	var batch storage.Batch
	if err := doc.Put(&batch); err != nil {
		return err
	}
	from, judged := d.RulesName, d.RulesVersion
	if judged != now.Version {
		judged = 0
	}
	if err := d.SetRules(&batch, now.Name, judged); err != nil {
		return err
	}
	if err := i.Store.Commit(&batch); err != nil {
		return err
	}
	if stored != nil {
		logger.Info("the rules have changed", "from", from, "from_version", version(stored.Rules.Version),
			"to", now.Name, "to_version", version(now.Version), "changes", strings.Join(rulesfile.Changes(stored, i.Rules), "; "))
	}
	return nil
}

// judge lets everything be judged by the rules in force, in the background. Limits and order hold at
// once, since identities are computed; this is for what is judged when it comes. Only then it is
// written down that it was.
func (i *Instance) judge(d row.Deployment, logger *slog.Logger) {
	now := i.Rules.Rules
	logger.Info("everything is judged by the new rules from now on, and what was judged before again", "rules", now.Name)
	ctx, cancel := context.WithCancel(context.Background())
	i.stopSweep = cancel
	i.sweep.Go(func() {
		err := i.Engine.Recheck(ctx)
		if err == nil {
			var batch storage.Batch
			if err = d.SetRules(&batch, now.Name, now.Version); err == nil {
				err = i.Store.Commit(&batch)
			}
		}
		i.sweepErr = err
		switch {
		case err == nil:
			logger.Info("everything is judged by the new rules", "rules", now.Name)
		case ctx.Err() == nil:
			logger.Error("judging by the new rules stopped: it begins anew at the next start", "error", err)
		}
	})
}

func version(v uint64) string { return fmt.Sprintf("%016x", v) }
