package money

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text     string
		exponent int
		want     int64
		err      error
	}{
		{"19.99", 2, 1999, nil},
		{"19.9", 2, 1990, nil},
		{"19", 2, 1900, nil},
		{"0", 2, 0, nil},
		{"-0.00", 2, 0, nil},
		{"0019.99", 2, 1999, nil},
		{"19.994999999999999999999999", 2, 1999, nil},
		{"19.995", 2, 2000, nil},
		{"19.989999999999998", 2, 1999, nil},
		{"0.005", 2, 1, nil},
		{"0.0049999", 2, 0, nil},
		{"0.5", 0, 1, nil},
		{"0.05", 0, 0, nil},
		{"1999", 0, 1999, nil},
		{"1.2345", 3, 1235, nil},
		{"1.5e3", 2, 150000, nil},
		{"150E-2", 2, 150, nil},
		{"0e999999999999", 2, 0, nil},
		{"1e-999999999999", 2, 0, nil},
		{"92233720368547758.07", 2, math.MaxInt64, nil},
		{"92233720368547758.08", 2, 0, ErrRange},
		{"92233720368547758.075", 2, 0, ErrRange},
		{"1e17", 2, 0, ErrRange},
		{"1e999999999999", 2, 0, ErrRange},
		{"-0.01", 2, 0, ErrNegative},
		{"-5", 0, 0, ErrNegative},
		{"", 2, 0, ErrNumber},
		{"$19.99", 2, 0, ErrNumber},
		{"19,99", 2, 0, ErrNumber},
		{"19.", 2, 0, ErrNumber},
		{".5", 2, 0, ErrNumber},
		{"1e", 2, 0, ErrNumber},
		{"1e+", 2, 0, ErrNumber},
		{"1e5x", 2, 0, ErrNumber},
		{"+1", 2, 0, ErrNumber},
		{" 1", 2, 0, ErrNumber},
		{"-", 2, 0, ErrNumber},
		{"NaN", 2, 0, ErrNumber},
	} {
		if got, err := Parse([]byte(c.text), c.exponent); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("Parse(%q, %d) = %d, %v, want %d, %v", c.text, c.exponent, got, err, c.want, c.err)
		}
	}
}

func TestParseLine(t *testing.T) {
	for _, c := range []struct {
		price, quantity string
		exponent        int
		want            int64
		err             error
	}{
		{"19.99", "3", 2, 5997, nil},
		{"0.333", "3", 2, 100, nil},
		{"1.005", "1", 2, 101, nil},
		{"4.99", "0.5", 2, 250, nil},
		{"19.99", "0", 2, 0, nil},
		{"1e2", "1e2", 2, 1000000, nil},
		{"1e9", "1e9", 2, 0, ErrRange},
		{"0.09", "0.01", 2, 0, nil},
		{"12345678901234567890123", "1", 2, 0, ErrRange},
		{"1", "-1", 2, 0, ErrNegative},
		{"1", "two", 2, 0, ErrNumber},
	} {
		got, err := ParseLine([]byte(c.price), []byte(c.quantity), c.exponent)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("ParseLine(%q, %q, %d) = %d, %v, want %d, %v", c.price, c.quantity, c.exponent, got, err, c.want, c.err)
		}
	}
}

func TestCurrencies(t *testing.T) {
	for code, exponent := range map[string]int{"USD": 2, "usd": 2, "Jpy": 0, "KWD": 3, "EUR": 2, "CLF": 4} {
		c, err := ParseCurrency([]byte(code))
		if err != nil || c.String() != strings.ToUpper(code) || Exponent(c) != exponent {
			t.Errorf("%s: %v, exponent %d, %v", code, c, Exponent(c), err)
		}
	}
	for _, code := range []string{"", "US", "USDT", "U$D", "ZZZ", "€"} {
		if _, err := ParseCurrency([]byte(code)); !errors.Is(err, errCurrency) {
			t.Errorf("%q: %v", code, err)
		}
	}
	if Exponent(graph.Currency{}) != 0 || Exponent(graph.Currency{'?', '?', '?'}) != 0 {
		t.Error("no currency has decimals")
	}
}

func TestAppend(t *testing.T) {
	usd, jpy, kwd := graph.Currency{'U', 'S', 'D'}, graph.Currency{'J', 'P', 'Y'}, graph.Currency{'K', 'W', 'D'}
	for _, c := range []struct {
		minor    int64
		currency graph.Currency
		want     string
	}{
		{1999, usd, "19.99"},
		{5, usd, "0.05"},
		{-5, usd, "-0.05"},
		{0, usd, "0.00"},
		{1999, jpy, "1999"},
		{1999, kwd, "1.999"},
		{math.MaxInt64, usd, "92233720368547758.07"},
		{math.MinInt64, usd, "-92233720368547758.08"},
		{7, graph.Currency{}, "7"},
	} {
		if got := string(Append(nil, c.minor, c.currency)); got != c.want {
			t.Errorf("Append(%d, %s) = %s, want %s", c.minor, c.currency, got, c.want)
		}
	}
}

func TestAdd(t *testing.T) {
	if sum, err := Add(math.MaxInt64-1, 1); sum != math.MaxInt64 || err != nil {
		t.Errorf("%d, %v", sum, err)
	}
	if _, err := Add(math.MaxInt64, 1); !errors.Is(err, ErrRange) {
		t.Errorf("%v", err)
	}
}

// rounded returns x in minor units by rational arithmetic, half away from zero.
func rounded(x *big.Rat, exponent int) *big.Int {
	x = new(big.Rat).Mul(x, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exponent)), nil)))
	x.Add(x, big.NewRat(1, 2))
	return new(big.Int).Div(x.Num(), x.Denom())
}

// FuzzMoney compares Parse and ParseLine with math/big, and Append with Parse.
func FuzzMoney(f *testing.F) {
	f.Add("19.99", "3", uint8(2))
	f.Add("0.1000000000000000055511151231257827", "1e3", uint8(0))
	f.Add("92233720368547758.07", "1", uint8(2))
	f.Add("-0", "9e-9", uint8(3))
	f.Fuzz(func(t *testing.T, a, b string, exponent uint8) {
		exponent %= 5
		if len(a) > 60 || len(b) > 60 || strings.ContainsAny(a+b, "/_xXpPoObB") {
			return // big.Rat reads more than decimals
		}
		if i := strings.IndexAny(a, "eE"); i >= 0 && len(a)-i > 5 {
			return // big.Rat would take long
		}
		if i := strings.IndexAny(b, "eE"); i >= 0 && len(b)-i > 5 {
			return
		}
		x, xOK := new(big.Rat).SetString(a)
		y, yOK := new(big.Rat).SetString(b)
		agree := func(what string, got int64, err error, exact *big.Rat) {
			switch {
			case errors.Is(err, ErrNumber):
			case errors.Is(err, ErrNegative):
				if x.Sign() >= 0 && (!yOK || y.Sign() >= 0) {
					t.Fatalf("%s: negative", what)
				}
			case errors.Is(err, ErrRange):
				if what == "amount" && rounded(exact, int(exponent)).IsInt64() {
					t.Fatalf("%s: out of range", what)
				}
			case err != nil:
				t.Fatalf("%s: %v", what, err)
			default:
				if want := rounded(exact, int(exponent)); !want.IsInt64() || want.Int64() != got {
					t.Fatalf("%s of %q, %q with %d decimals: %d, want %s", what, a, b, exponent, got, want)
				}
			}
		}
		got, err := Parse([]byte(a), int(exponent))
		if !xOK {
			if err == nil {
				t.Fatalf("Parse(%q) = %d", a, got)
			}
			return
		}
		agree("amount", got, err, x)
		if err == nil {
			currency := []graph.Currency{{'J', 'P', 'Y'}, {}, {'U', 'S', 'D'}, {'K', 'W', 'D'}, {'C', 'L', 'F'}}[exponent]
			if Exponent(currency) == int(exponent) {
				if again, err := Parse(Append(nil, got, currency), int(exponent)); again != got || err != nil {
					t.Fatalf("%d is written %s and read %d, %v", got, Append(nil, got, currency), again, err)
				}
			}
		}
		line, err := ParseLine([]byte(a), []byte(b), int(exponent))
		if !yOK {
			if err == nil {
				t.Fatalf("ParseLine(%q, %q) = %d", a, b, line)
			}
			return
		}
		agree("line", line, err, new(big.Rat).Mul(x, y))
	})
}
