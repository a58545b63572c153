package rulesfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/internal/yamlfile"
)

// Keys of the settings that depend on where a deployment's customers are.
const (
	regionKey   = "phone_region"
	currencyKey = "default_currency"
	assumedKey  = "assumed"
)

// defaultCurrency is the currency of amounts that name no currency, as long as it is assumed.
const defaultCurrency = "USD"

// Assumed are the settings whose value nobody has stated: neither a file of rules nor an operator. A data directory stores
// them as assumed, so that they can be told, and stated later.
type Assumed struct{ Region, Currency bool }

// list returns the keys of the settings that are assumed.
func (a Assumed) list() (keys []string) {
	if a.Region {
		keys = append(keys, regionKey)
	}
	if a.Currency {
		keys = append(keys, currencyKey)
	}
	return keys
}

// Assumptions are the settings that are assumed, with their values, as people read them.
func (f *File) Assumptions() (list []string) {
	if f.Assumed.Region {
		list = append(list, regionKey+": "+f.Identifier.Region)
	}
	if f.Assumed.Currency {
		list = append(list, currencyKey+": "+f.Currency)
	}
	return list
}

// With returns the same settings with a region and a currency that were stated; empty ones stay as they are.
func (f *File) With(region, currency string) *File {
	stated := *f
	if region != "" {
		stated.Identifier.Region, stated.Assumed.Region = region, false
	}
	if currency != "" {
		stated.Currency, stated.Assumed.Currency = currency, false
	}
	return &stated
}

// Inherit returns the same settings, with the region and the currency of former rules where f only assumes them: rules that
// are silent about them are no reason to read events in another way.
func (f *File) Inherit(from *File) *File {
	if f.Assumed.Region {
		f = f.With(from.Identifier.Region, "")
		f.Assumed.Region = from.Assumed.Region
	}
	if f.Assumed.Currency {
		f = f.With("", from.Currency)
		f.Assumed.Currency = from.Assumed.Currency
	}
	return f
}

// ParseRegion reads the country of phone numbers without a country code.
func ParseRegion(text string) (string, error) {
	region := strings.TrimSpace(text)
	if region == "" {
		return "", errors.New("no phone region; want an ISO 3166 code of two letters, such as US or DE")
	}
	_, err := identifier.New([16]byte{}, identifier.Config{Region: region})
	return strings.ToUpper(region), err
}

// ParseCurrency reads the currency of amounts that name none. Its form is checked, so a code that no list has yet may be used.
func ParseCurrency(text string) (string, error) {
	code := strings.ToUpper(strings.TrimSpace(text))
	if len(code) != 3 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "", fmt.Errorf("currency %.60q: want an ISO 4217 code of three letters, such as USD or EUR", text)
	}
	return code, nil
}

func (d decoder) region(f *File, n *yamlfile.Node, key string) {
	text, ok := d.Text(n, key)
	if !ok {
		return
	}
	region, err := ParseRegion(text)
	if err != nil {
		d.Fail(n, key, "%w", err)
		return
	}
	*f = *f.With(region, "")
}

func (d decoder) currency(f *File, n *yamlfile.Node, key string) {
	text, ok := d.Text(n, key)
	if !ok {
		return
	}
	code, err := ParseCurrency(text)
	if err != nil {
		d.Fail(n, key, "%w", err)
		return
	}
	*f = *f.With("", code)
}

// assumed reads which settings nobody has stated, though the file has their values: those that a directory stores.
func (d decoder) assumed(f *File, n *yamlfile.Node, key string) {
	all := Assumed{true, true}.list()
	for _, e := range d.Texts(n, key) {
		if !slices.Contains(all, e.Key) {
			d.Fail(e.Where, key, "unknown setting %q; want %s", e.Key, strings.Join(all, " or "))
		}
		f.Assumed.Region = f.Assumed.Region || e.Key == regionKey
		f.Assumed.Currency = f.Assumed.Currency || e.Key == currencyKey
	}
}
