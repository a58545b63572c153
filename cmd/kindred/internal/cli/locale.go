package cli

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/kindred-id/kindred/node"
	"github.com/kindred-id/kindred/node/rulesfile"
	"github.com/spf13/cobra"
	"golang.org/x/text/currency"
	"golang.org/x/text/language"
)

// addLocale adds the flags that state the region and the currency of a deployment.
func addLocale(cmd *cobra.Command, l *node.Locale) {
	flags := cmd.Flags()
	flags.StringVar(&l.Region, "region", "", "country of phone numbers without a country code, such as DE; stored (default: asked for on a terminal, else US is assumed)")
	flags.StringVar(&l.Currency, "currency", "", "currency of amounts that name none, such as EUR; stored (default: asked for on a terminal, else USD is assumed)")
	WithEnv(flags, "region", "currency")
}

// AskLocale asks for region and currency where the settings leave them open, a directory is to be made, and somebody sits at
// a terminal. Elsewhere nobody is there to answer: the directory is made with assumptions, which it tells (node.Locale).
func (f *NodeFlags) AskLocale(cmd *cobra.Command) error {
	if !isTerminal(cmd.InOrStdin()) || !isTerminal(cmd.ErrOrStderr()) {
		return nil
	}
	if entries, err := os.ReadDir(f.Config.Dir); err == nil && len(entries) > 0 || err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil
	}
	open := rulesfile.Assumed{Region: true, Currency: true}
	if f.Config.Rules != "" {
		rules, err := rulesfile.Load(f.Config.Rules)
		if err != nil {
			return nil //nolint:nilerr // opening the directory reports it
		}
		open = rules.Assumed
	}
	open.Region, open.Currency = open.Region && f.Config.Locale.Region == "", open.Currency && f.Config.Locale.Currency == ""
	return askLocale(cmd.InOrStdin(), cmd.ErrOrStderr(), f.Config.Dir, open, &f.Config.Locale)
}

// askLocale asks for what is open, one line each. An empty answer takes the proposal.
func askLocale(in io.Reader, out io.Writer, dir string, open rulesfile.Assumed, l *node.Locale) (err error) {
	if open == (rulesfile.Assumed{}) {
		return nil
	}
	fmt.Fprintf(out, "%s is a new data directory. Where are its customers? Enter takes the proposal.\n", dir)
	answers := bufio.NewReader(in)
	region, money := proposeLocale(os.Getenv)
	if open.Region {
		if l.Region, err = ask(answers, out, "Country of phone numbers without a country code", region, rulesfile.ParseRegion); err != nil {
			return err
		}
		if l.Region != region {
			money = cmp.Or(currencyOf(l.Region), money)
		}
	}
	if open.Currency {
		l.Currency, err = ask(answers, out, "Currency of amounts that name none", money, rulesfile.ParseCurrency)
	}
	return err
}

// errNoAnswer ends a question that nobody answered.
var errNoAnswer = errors.New("no answer; give --region and --currency, such as --region DE --currency EUR")

// ask asks until an answer can be used.
func ask(in *bufio.Reader, out io.Writer, question, proposal string, parse func(string) (string, error)) (string, error) {
	for {
		fmt.Fprintf(out, "%s [%s]: ", question, proposal)
		line, err := in.ReadString('\n')
		if err != nil {
			fmt.Fprintln(out)
			return "", Exit(ExitUsage, errNoAnswer)
		}
		if line = strings.TrimSpace(line); line == "" {
			return proposal, nil
		}
		answer, err := parse(line)
		if err == nil {
			return answer, nil
		}
		fmt.Fprintf(out, "%v\n", err)
	}
}

// proposeLocale returns the region of the user's locale, as in de_BE.UTF-8, with its currency; US and USD without one.
func proposeLocale(getenv func(string) string) (region, money string) {
	locale, _, _ := strings.Cut(cmp.Or(getenv("LC_ALL"), getenv("LC_MONETARY"), getenv("LANG")), ".")
	locale, _, _ = strings.Cut(locale, "@")
	_, country, _ := strings.Cut(locale, "_")
	if region, err := rulesfile.ParseRegion(country); err == nil && currencyOf(region) != "" {
		return region, currencyOf(region)
	}
	return "US", "USD"
}

// currencyOf returns the currency of a region; empty if it is not known.
func currencyOf(region string) string {
	r, err := language.ParseRegion(region)
	if err != nil {
		return ""
	}
	unit, ok := currency.FromRegion(r)
	if !ok {
		return ""
	}
	return unit.String()
}
