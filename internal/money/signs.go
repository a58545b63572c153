package money

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
)

//go:embed signs.txt
var signText string

// signs maps a sign to the currencies that it may mean.
var signs = sync.OnceValue(func() map[string]string {
	all, err := parseSigns(signText)
	if err != nil {
		panic(err) // the text is compiled in: this is a bug of the text
	}
	return all
})

// parseSigns reads lines of a sign and the codes that it may mean.
func parseSigns(text string) (map[string]string, error) {
	all := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		sign, codes, _ := strings.Cut(line, " ")
		if _, twice := all[sign]; twice || codes == "" {
			return nil, fmt.Errorf("signs.txt: %q: want a sign once, and its codes", line)
		}
		for code := range strings.SplitSeq(codes, " ") {
			if _, err := ParseCurrency([]byte(code)); err != nil {
				return nil, fmt.Errorf("signs.txt: %q: %q is %w", line, code, err)
			}
		}
		all[sign] = codes
	}
	return all, nil
}

// parseMark reads a sign, or a code in either case.
func parseMark(text []byte) (Mark, bool) {
	if codes, ok := signs()[string(text)]; ok {
		return Mark{codes}, true
	}
	c, err := ParseCurrency(text)
	if err != nil {
		return Mark{}, false
	}
	return Mark{c.String()}, true
}
