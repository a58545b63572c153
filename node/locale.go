package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/node/rulesfile"
)

// Locale is where the customers of a deployment are: how a phone number without a country code, and an amount without a
// currency, are read. Empty is not stated.
//
// It belongs to the rules, which a directory stores; but most deployments run with a preset, and none should need a file of
// rules to say that it sells in euros.
type Locale struct {
	Region   string // ISO 3166, such as DE
	Currency string // ISO 4217, such as EUR
}

// assumedRemedy says how to state what is assumed.
const assumedRemedy = "give --region and --currency, such as --region DE --currency EUR: they are stored, and hold for events from then on"

// check reads the settings, and writes them in their canonical form.
func (l *Locale) check() error {
	var region, currency error
	if l.Region != "" {
		if l.Region, region = rulesfile.ParseRegion(l.Region); region != nil {
			region = fmt.Errorf("--region: %w", region)
		}
	}
	if l.Currency != "" {
		if l.Currency, currency = rulesfile.ParseCurrency(l.Currency); currency != nil {
			currency = fmt.Errorf("--currency: %w", currency)
		}
	}
	return errors.Join(region, currency)
}

// agree fails if rules that were given with the settings state something else.
func (l *Locale) agree(rules *rulesfile.File) error {
	return errors.Join(
		unless(l.Region == "" || rules.Assumed.Region || rules.Identifier.Region == l.Region,
			"--region %s: the rules %q say phone_region: %s; give one of them", l.Region, rules.Rules.Name, rules.Identifier.Region),
		unless(l.Currency == "" || rules.Assumed.Currency || rules.Currency == l.Currency,
			"--currency %s: the rules %q say default_currency: %s; give one of them", l.Currency, rules.Rules.Name, rules.Currency),
	)
}

// over returns rules with the settings that are stated.
func (l *Locale) over(rules *rulesfile.File) *rulesfile.File {
	if *l == (Locale{}) {
		return rules
	}
	return rules.With(l.Region, l.Currency)
}

// warnLocale says that events which were taken keep their reading, where region or currency are others than before.
func warnLocale(logger *slog.Logger, from, to *rulesfile.File) {
	var changed []string
	if from.Identifier.Region != to.Identifier.Region {
		changed = append(changed, fmt.Sprintf("phone_region: %s, was %s", to.Identifier.Region, from.Identifier.Region))
	}
	if from.Currency != to.Currency {
		changed = append(changed, fmt.Sprintf("default_currency: %s, was %s", to.Currency, from.Currency))
	}
	if len(changed) > 0 {
		logger.Warn("region or currency have changed, for events from now on: those that were taken before keep their reading",
			"changed", strings.Join(changed, "; "), "remedy", "to read all events in the new way, ingest them into a new directory")
	}
}

// checkLocale is a warning of readiness: region or currency are assumed.
func (d *directory) checkLocale(context.Context) document.Check {
	return document.Check{
		Name: "assumed", OK: true, Detail: "nobody has said where the customers are: " + strings.Join(d.rules.Assumptions(), ", "), Hint: assumedRemedy,
	}
}
