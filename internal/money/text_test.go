package money

import (
	"errors"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"pgregory.net/rapid"
)

// read returns an amount in a string as a plain number in a currency with the given decimals.
func read(text string, decimals int) (string, error) {
	var room Room
	t, err := ReadText([]byte(text), &room)
	if err != nil {
		return "", err
	}
	number, err := t.In(decimals)
	sign := ""
	if t.Negative {
		sign = "-"
	}
	return sign + string(number) + strings.TrimSuffix(" "+t.Mark.codes, " "), err
}

func TestReadText(t *testing.T) {
	for _, c := range []struct {
		text     string
		decimals int
		want     string
		err      error
	}{
		{"59.90", 2, "59.90", nil},
		{" 59.90 ", 2, "59.90", nil},
		{"\u00a059.90\u200b", 2, "59.90", nil},
		{"1e2", 2, "1e2", nil},
		{".50", 2, "0.50", nil},
		{"-.50", 2, "-0.50", nil},
		{"+5", 2, "5", nil},
		{"-5", 2, "-5", nil},
		{"\u22125,50", 2, "-5.50", nil},
		{"$59.90", 2, "59.90 " + signs()["$"], nil},
		{"-$5", 2, "-5 " + signs()["$"], nil},
		{"$-5", 2, "-5 " + signs()["$"], nil},
		{"$5 CAD", 2, "5 CAD", nil},
		{"€ 59,90", 2, "59.90 EUR", nil},
		{"59,90 €", 2, "59.90 EUR", nil},
		{"59.90 eur", 2, "59.90 EUR", nil},
		{"EUR59.90", 2, "59.90 EUR", nil},
		{"1.500 kr.", 0, "", ErrAmbiguous},
		{"15,50 kr.", 2, "15.50 SEK NOK DKK ISK", nil},
		{"1,299.00", 2, "1299.00", nil},
		{"1.234,56", 2, "1234.56", nil},
		{"1 299,00", 2, "1299.00", nil},
		{"1\u202f299,00", 2, "1299.00", nil},
		{"1'299.00", 2, "1299.00", nil},
		{"1’299’000", 2, "1299000", nil},
		{"12,34,567.00", 2, "1234567.00", nil},
		{"1,23,456", 2, "123456", nil},
		{"1,234,567", 2, "1234567", nil},
		{"1.234.567", 2, "1234567", nil},
		{"1.234.567,8", 2, "1234567.8", nil},
		{"1,234.567", 2, "1234.567", nil},
		{"59,9", 2, "59.9", nil},
		{"1234,567", 2, "1234.567", nil},
		{"0,500", 2, "0.500", nil},
		{"0.500", 2, "0.500", nil},
		{"59.9000", 2, "59.9000", nil},
		{"1,234", 2, "", ErrAmbiguous},
		{"1.234", 2, "", ErrAmbiguous},
		{"12.500", 2, "", ErrAmbiguous},
		{"12.500", 3, "12.500", nil},
		{"12,500", 3, "", ErrAmbiguous},
		{"12,500", 0, "12500", nil},
		{"12.500", 0, "", ErrAmbiguous},
		{"", 2, "", ErrNumber},
		{"n/a", 2, "", ErrNumber},
		{"NaN", 2, "", ErrNumber},
		{"Infinity", 2, "", ErrNumber},
		{"10%", 2, "", ErrNumber},
		{"(5.00)", 2, "", ErrNumber},
		{"5.-", 2, "", ErrNumber},
		{"--5", 2, "", ErrNumber},
		{"5-", 2, "", ErrNumber},
		{"5 6", 2, "", ErrNumber},
		{"12,34.5", 2, "", ErrNumber},
		{"1,2345.00", 2, "", ErrNumber},
		{"1234,567.00", 2, "", ErrNumber},
		{"0,123.45", 2, "", ErrNumber},
		{"1.2.3", 2, "", ErrNumber},
		{"1.234,567,890", 2, "", ErrNumber},
		{"1,,234", 2, "", ErrNumber},
		{"5 gold", 2, "", ErrNumber},
		{"€5 USD", 2, "", ErrNumber},
		{"$5 EUR", 2, "", ErrNumber},
		{"5 or 6", 2, "", ErrNumber},
		{"٥", 2, "", ErrNumber},
		{"5\xff", 2, "", ErrNumber},
		{strings.Repeat("1,111", 20), 2, "", ErrNumber},
	} {
		got, err := read(c.text, c.decimals)
		if !errors.Is(err, c.err) || err == nil && got != c.want {
			t.Errorf("%q with %d decimals: %q, %v, want %q, %v", c.text, c.decimals, got, err, c.want, c.err)
		}
	}
}

// An amount in any of the notations reads as that amount, or as ambiguous.
func TestReadTextOfStyles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minor := rapid.Int64Range(0, 99_999_999_999).Draw(t, "minor")
		c := rapid.SampledFrom([]graph.Currency{{'E', 'U', 'R'}, {'J', 'P', 'Y'}, {'K', 'W', 'D'}}).Draw(t, "currency")
		plain := string(Append(nil, minor, c))
		style := rapid.SampledFrom([][2]string{{",", "."}, {".", ","}, {" ", ","}, {"'", "."}, {"\u202f", ","}, {"", "."}, {"", ","}}).Draw(t, "style")
		whole, fraction, _ := strings.Cut(plain, ".")
		text := ""
		for i, digit := range whole {
			if i > 0 && (len(whole)-i)%3 == 0 {
				text += style[0]
			}
			text += string(digit)
		}
		if fraction != "" {
			text += style[1] + fraction
		}
		text = rapid.SampledFrom([]string{"", " ", "€", c.String() + " "}).Draw(t, "before") + text
		text += rapid.SampledFrom([]string{"", " ", " " + c.String()}).Draw(t, "after")
		var room Room
		got, err := ReadText([]byte(text), &room)
		if err != nil {
			if strings.Contains(text, "€") && strings.Contains(text, c.String()) && c[0] != 'E' {
				return // two currencies
			}
			t.Fatalf("%q: %v", text, err)
		}
		number, err := got.In(Exponent(c))
		if errors.Is(err, ErrAmbiguous) {
			if !got.Thousandths {
				t.Fatalf("%q is not ambiguous", text)
			}
			return
		}
		if again, err := Parse(number, Exponent(c)); err != nil || again != minor {
			t.Fatalf("%q is %d, %v, want %d", text, again, err, minor)
		}
	})
}

// Any string gives a plain number or an error.
func FuzzReadText(f *testing.F) {
	for _, text := range []string{"$59.90", "1.234,56", "€ 1 299,00", "5", "1e2", "12,34,567.00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var room Room
		got, err := ReadText([]byte(text), &room)
		if err != nil {
			if !errors.Is(err, ErrNumber) {
				t.Fatal(err)
			}
			return
		}
		for decimals := range 5 {
			number, err := got.In(decimals)
			if err != nil {
				continue
			}
			if _, err := parseDecimal(number); err != nil {
				t.Fatalf("%q is %q, which is no number", text, number)
			}
		}
	})
}

func TestSignsRefuse(t *testing.T) {
	for _, text := range []string{"€", "€ EUR\n€ EUR", "€ EURO", "€ ZZZ"} {
		if _, err := parseSigns(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	if len(signs()) < 50 {
		t.Errorf("%d signs", len(signs()))
	}
}

func TestParseOpen(t *testing.T) {
	for text, want := range map[string]int64{"59.90": 5_990_000, "0.000019": 1, "1.0000499999": 100_004, "92233720368547": 9_223_372_036_854_700_000} {
		if got, err := ParseOpen([]byte(text)); got != want || err != nil {
			t.Errorf("%s: %d, %v, want %d", text, got, err, want)
		}
	}
	if _, err := ParseOpen([]byte("1e14")); !errors.Is(err, ErrRange) {
		t.Error(err)
	}
	for open, want := range map[int64]string{5_990_000: "59.9", 100_000: "1", 1: "0.00001", -150_000: "-1.5", 0: "0"} {
		if got := string(AppendOpen(nil, open)); got != want {
			t.Errorf("%d: %s, want %s", open, got, want)
		}
	}
}
