package libraries

import (
	"testing"

	"github.com/cockroachdb/apd/v3"
	"github.com/shopspring/decimal"

	"github.com/kindred-id/kindred/internal/money"
)

// BenchmarkMoney reads amounts into minor units of a currency with two decimals, rounded half away from zero.
func BenchmarkMoney(b *testing.B) {
	texts := []string{"19.99", "0.5", "1299", "149.949", "7.00", "23456.78", "1e2", "0.005"}
	want := []int64{1999, 50, 129900, 14995, 700, 2345678, 10000, 1}
	run := func(name string, read func(text string) (int64, error)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if minor, err := read(texts[i%len(texts)]); err != nil || minor != want[i%len(want)] {
					b.Fatalf("%s: %d, %v", texts[i%len(texts)], minor, err)
				}
			}
		})
	}
	var text []byte
	run("money", func(s string) (int64, error) {
		text = append(text[:0], s...)
		return money.Parse(text, 2)
	})
	run("shopspring", func(s string) (int64, error) {
		d, err := decimal.NewFromString(s)
		return d.Shift(2).Round(0).IntPart(), err
	})
	c := apd.BaseContext.WithPrecision(19)
	c.Rounding = apd.RoundHalfUp
	run("apd", func(s string) (int64, error) {
		var d apd.Decimal
		if _, _, err := c.SetString(&d, s); err != nil {
			return 0, err
		}
		d.Exponent += 2
		if _, err := c.RoundToIntegralValue(&d, &d); err != nil {
			return 0, err
		}
		return d.Int64()
	})
}
