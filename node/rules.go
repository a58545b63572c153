package node

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/node/rulesfile"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// settleRules reads the rules that the directory was last used with, or nil if it has no rules yet. They stay in force
// unless other rules were given, which must be compatible with them.
func (d *directory) settleRules(dir string, given Locale) (stored *rulesfile.File, err error) {
	defer func() {
		if err == nil {
			d.rules = given.over(d.rules)
		}
	}()
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
	default:
		d.rules = d.rules.Inherit(stored)
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

// keepRules adds the rules in force to a change of the catalog, before anything happens under them (N4), and reports whether they
// are new. If they judge differently, it also records that nothing is judged yet, so that a stop during the sweep does not look
// like its end.
func (d *directory) keepRules(change *catalog.Change, of *row.Deployment, stored *rulesfile.File) (changed bool, err error) {
	if err := rulesAre(change, stored); err != nil {
		return false, err
	}
	now := d.rules.Rules
	doc := row.RulesDocument{Version: now.Version, Text: d.rules.YAML()}
	if stored != nil && bytes.Equal(stored.YAML(), doc.Text) {
		return false, nil
	}
	if err := doc.Put(change.Batch()); err != nil {
		return false, err
	}
	judged := of.RulesVersion
	if judged != now.Version {
		judged = 0
	}
	return true, of.SetRules(change.Batch(), now.Name, judged)
}

// rulesAre returns an error unless the rules in a change of the catalog are these; nil stands for none.
func rulesAre(change *catalog.Change, stored *rulesfile.File) error {
	var want uint64
	if stored != nil {
		want = stored.Rules.Version
	}
	is, err := row.ReadRules(change)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	if is.Version != want {
		return fmt.Errorf("the stored rules have version %s by now, and had %s: start again", version(is.Version), version(want))
	}
	return nil
}

// logChange logs that the rules have changed.
func (d *directory) logChange(from string, stored *rulesfile.File, logger *slog.Logger) {
	now := d.rules.Rules
	logger.Info("the rules have changed", "from", from, "from_version", version(stored.Rules.Version),
		"to", now.Name, "to_version", version(now.Version), "changes", strings.Join(rulesfile.Changes(stored, d.rules), "; "))
}

func version(v uint64) string { return fmt.Sprintf("%016x", v) }
