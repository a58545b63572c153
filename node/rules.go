package node

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/node/rulesfile"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// settleRules reads the rules that the directory was last used with, or nil if it has no rules yet. They stay in force
// unless other rules were given, which must be compatible with them.
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
	stored, err = rulesfile.ParseKept("the rules stored in "+dir, encoded.Text)
	if err == nil && stored.Rules.Version != encoded.Version {
		err = fmt.Errorf("the rules stored in %s have version %s for this program, but %s for the program that wrote them", dir, version(stored.Rules.Version), version(encoded.Version))
	}
	switch {
	case err != nil: // the log must first be finished under these rules, so other rules are no way out
		return nil, fmt.Errorf("%w; use the program that wrote them", err)
	case d.rules == nil:
		d.rules = stored.Today()
	}
	if err := d.rules.Follow(stored); err != nil {
		return nil, fmt.Errorf("rules %q cannot replace the rules %q of %s: %w", d.rules.Rules.Name, stored.Rules.Name, dir, err)
	}
	return stored, nil
}

// presetOf finds the rules of a directory that stores no rules, because its first start was cut short.
func presetOf(dir string, d row.Deployment) (*rulesfile.File, error) {
	if slices.Contains(rulesfile.Presets(), d.RulesName) {
		file, err := rulesfile.Load(d.RulesName)
		if err != nil || file.Rules.Version == d.RulesVersion {
			return file, err
		}
	}
	return nil, fmt.Errorf("%s was created with the rules %q, but does not hold their text; give --rules with their file, or with a preset", dir, d.RulesName)
}

// keepRules stores the rules in force before anything happens under them (N4), and logs the changes. If they judge
// differently, it also records that nothing is judged yet, so that a stop during the sweep does not look like its end.
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
