package signals

import (
	"strconv"
	"strings"

	"github.com/kindred-id/kindred/graph/signal"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// properties reads the values at a path of an event's properties, which are a JSON object. It implements signal.Properties.
type properties struct {
	text  []byte
	scan  jsonscan.Scanner
	arena jsonscan.Arena // of texts that had escapes
}

// begin turns to the properties of another event. Values of the one before are no more.
func (p *properties) begin(text []byte) {
	p.text = text
	p.arena.Reset()
}

// Append implements signal.Properties. Of properties that are no JSON there are no values.
func (p *properties) Append(values []signal.Scalar, path string) []signal.Scalar {
	if len(p.text) == 0 {
		return values
	}
	p.scan.Reset(p.text, &p.arena)
	found := p.walk(values, path)
	if p.scan.End() != nil {
		return values
	}
	return found
}

// walk reads the next value, and appends what is at the path below it. An array stands for its elements.
func (p *properties) walk(values []signal.Scalar, path string) []signal.Scalar {
	switch {
	case p.scan.Array():
		for p.scan.More() {
			values = p.walk(values, path)
		}
	case path == "":
		values = p.scalar(values)
	case p.scan.Object():
		name, rest, _ := strings.Cut(path, ".")
		for p.scan.Next() {
			if string(p.scan.Key()) == name {
				values = p.walk(values, rest)
			} else {
				p.scan.Value()
			}
		}
	default:
		p.scan.Value()
	}
	return values
}

func (p *properties) scalar(values []signal.Scalar) []signal.Scalar {
	v := p.scan.Value()
	switch v.Kind {
	case jsonscan.Null:
		return append(values, signal.Scalar{})
	case jsonscan.String:
		text := v.Inside()
		if v.Escaped {
			text = p.arena.Unescape(text)
		}
		return append(values, signal.Scalar{Kind: signal.Text, Text: text})
	case jsonscan.Number:
		n, _ := strconv.ParseFloat(string(v.Raw), 64) // beyond its range it is infinite
		return append(values, signal.Scalar{Kind: signal.Number, Text: v.Raw, Num: n})
	case jsonscan.Object, jsonscan.Array, jsonscan.None:
		return values
	}
	return append(values, signal.Scalar{Kind: signal.Bool, True: v.Raw[0] == 't'})
}
