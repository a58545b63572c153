package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ByteSize is the value of a flag: a number of bytes, written with a unit.
type ByteSize int64

// Type implements pflag.Value.
func (*ByteSize) Type() string { return "SIZE" }

func (b *ByteSize) String() string {
	if *b == 0 {
		return ""
	}
	return FormatBytes(int64(*b))
}

// Set implements pflag.Value: 512M, 2GiB, 1.5g. Units are powers of 1024.
func (b *ByteSize) Set(text string) error {
	number := strings.TrimRight(strings.ToLower(strings.TrimSpace(text)), "ib")
	shift := 0
	if n := len(number); n > 0 {
		if at := strings.IndexByte("kmgt", number[n-1]); at >= 0 {
			shift, number = 10*(at+1), strings.TrimSpace(number[:n-1])
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || v < 0 || v*math.Exp2(float64(shift)) >= math.MaxInt64 || math.IsNaN(v) {
		return fmt.Errorf("not a size; want a number with K, M or G, such as 512M or 2G")
	}
	*b = ByteSize(v * math.Exp2(float64(shift)))
	return nil
}

// FormatBytes writes a size in the largest unit in which it is at least one.
func FormatBytes(n int64) string {
	const units = "KMGT"
	v, unit := float64(n), -1
	for v >= 1024 && unit+1 < len(units) {
		v, unit = v/1024, unit+1
	}
	if unit < 0 {
		return fmt.Sprintf("%d B", n)
	}
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0") + " " + units[unit:unit+1] + "iB"
}
