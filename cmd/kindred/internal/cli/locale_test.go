package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/node"
	"github.com/kindred-id/kindred/node/rulesfile"
)

// A new directory asks one line each, proposes what the user's locale says, and asks again for what can't be used.
func TestAskLocale(t *testing.T) {
	both := rulesfile.Assumed{Region: true, Currency: true}
	for _, c := range []struct {
		locale, answers string
		open            rulesfile.Assumed
		want            node.Locale
		asked           string // what the last question proposed; empty: nothing was asked
		fails           bool
	}{
		{"de_BE.UTF-8", "\n\n", both, node.Locale{Region: "BE", Currency: "EUR"}, "[EUR]: ", false},
		{"C", "\n\n", both, node.Locale{Region: "US", Currency: "USD"}, "[USD]: ", false},
		{"en_US.UTF-8", "ch\n\n", both, node.Locale{Region: "CH", Currency: "CHF"}, "[CHF]: ", false},
		{"en_GB@euro", "\neur\n", both, node.Locale{Region: "GB", Currency: "EUR"}, "[GBP]: ", false},
		{"", "Germany\nDE\neuros\nEUR\n", both, node.Locale{Region: "DE", Currency: "EUR"}, "[EUR]: ", false},
		{"", "\n", rulesfile.Assumed{Currency: true}, node.Locale{Currency: "USD"}, "[USD]: ", false},
		{"", "", rulesfile.Assumed{}, node.Locale{}, "", false},
		{"", "DE\n", both, node.Locale{Region: "DE"}, "[EUR]: \n", true},
	} {
		t.Setenv("LC_ALL", c.locale)
		t.Setenv("LC_MONETARY", "")
		t.Setenv("LANG", "")
		var out bytes.Buffer
		var got node.Locale
		err := askLocale(strings.NewReader(c.answers), &out, "./data", c.open, &got)
		if got != c.want || (err != nil) != c.fails || !strings.HasSuffix(out.String(), c.asked) || (c.asked == "") != (out.Len() == 0) {
			t.Errorf("%+v: %+v, %v, asked:\n%s", c, got, err, out.String())
		}
	}
}
