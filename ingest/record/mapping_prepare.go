package record

import (
	"strings"

	"github.com/kindred-id/kindred/internal/jsonscan"
	"github.com/kindred-id/kindred/internal/jsontext"
)

// preparer rewrites a record as its mapping wants to read it: texts that hold JSON become that JSON, and lists of
// {key, value} become objects.
//
//	"attributes": "{\"plan\":\"pro\"}"                                parse ──► "attributes": {"plan":"pro"}
//	"params": [{"key":"page","value":{"string_value":"/home"}}]      unpack ──► "params": {"page":"/home"}
//
// A value that is not of such a form stays as it is. Paths lead through lists: to each of their elements.
type preparer struct {
	root  *prepared
	arena *jsonscan.Arena // of unescaped texts
	text  []byte          // of the current record; reused
}

// prepared is one key of the paths, which form a tree.
type prepared struct {
	key           string
	parse, unpack bool
	children      []*prepared
}

// newPreparer returns nil if there is nothing to do.
func newPreparer(r *reading, arena *jsonscan.Arena) *preparer {
	if len(r.parse)+len(r.unpack) == 0 {
		return nil
	}
	p := &preparer{root: new(prepared), arena: arena}
	for _, path := range r.parse {
		p.root.at(path).parse = true
	}
	for _, path := range r.unpack {
		p.root.at(path).unpack = true
	}
	return p
}

func (n *prepared) at(path string) *prepared {
	for key := range strings.SplitSeq(path, ".") {
		next := n.child([]byte(key))
		if next == nil {
			next = &prepared{key: key}
			n.children = append(n.children, next)
		}
		n = next
	}
	return n
}

// child returns nil for a key on no path; so does a nil node.
func (n *prepared) child(key []byte) *prepared {
	if n == nil {
		return nil
	}
	for _, c := range n.children {
		if c.key == string(key) {
			return c
		}
	}
	return nil
}

// prepare returns a record rewritten, valid until the next call. A text that is no JSON is returned as it is, for the
// picker to reject.
func (p *preparer) prepare(record []byte) []byte {
	v, ok := p.scan(record)
	if !ok {
		return record
	}
	p.text = p.append(p.text[:0], v, p.root)
	return p.text
}

// scan reads a text that is one value.
func (p *preparer) scan(text []byte) (jsonscan.Value, bool) {
	var s jsonscan.Scanner
	s.Reset(text, p.arena)
	v := s.Value()
	return v, s.End() == nil
}

// append appends a value that was checked, rewritten by the node that it is at.
func (p *preparer) append(dst []byte, v jsonscan.Value, n *prepared) []byte {
	if n == nil {
		return append(dst, v.Raw...)
	}
	if n.parse && v.Kind == jsonscan.String && len(v.Raw) > 2 {
		text := v.Inside()
		if v.Escaped {
			text = p.arena.Unescape(text)
		}
		if parsed, ok := p.scan(text); ok && parsed.Kind >= jsonscan.Object {
			v = parsed
		}
	}
	var s jsonscan.Scanner
	s.Reset(v.Raw, p.arena)
	switch {
	case v.Kind == jsonscan.Array && n.unpack:
		return p.unpack(dst, &s, n)
	case v.Kind == jsonscan.Array && len(n.children) > 0:
		dst = append(dst, '[')
		for s.Array(); s.More(); {
			dst = p.append(comma(dst, '['), s.Value(), n)
		}
		return append(dst, ']')
	case v.Kind == jsonscan.Object && len(n.children) > 0:
		dst = append(dst, '{')
		for s.Object(); s.Next(); {
			key := s.Key()
			dst = append(jsontext.AppendVerbatim(comma(dst, '{'), key), ':')
			dst = p.append(dst, s.Value(), n.child(key))
		}
		return append(dst, '}')
	}
	return append(dst, v.Raw...)
}

// comma appends a comma unless nothing follows the bracket yet.
func comma(dst []byte, bracket byte) []byte {
	if dst[len(dst)-1] != bracket {
		return append(dst, ',')
	}
	return dst
}

// unpack appends a list of {key, value} as an object. Elements of other forms are left out.
func (p *preparer) unpack(dst []byte, s *jsonscan.Scanner, n *prepared) []byte {
	dst = append(dst, '{')
	for s.Array(); s.More(); {
		if !s.Object() {
			s.Value()
			continue
		}
		var key, value jsonscan.Value
		for s.Next() {
			switch string(s.Key()) {
			case "key":
				key = s.Value()
			case "value":
				value = s.Value()
			default:
				s.Value()
			}
		}
		if key.Kind != jsonscan.String || value.Kind == jsonscan.None {
			continue
		}
		dst = append(append(comma(dst, '{'), key.Raw...), ':')
		dst = p.append(dst, p.typed(value), n.child(key.Inside()))
	}
	return append(dst, '}')
}

// typed returns the value inside {"string_value": …, "int_value": …}, of which at most one is not null. Any other value
// is returned as it is.
func (p *preparer) typed(v jsonscan.Value) jsonscan.Value {
	if v.Kind != jsonscan.Object {
		return v
	}
	var s jsonscan.Scanner
	s.Reset(v.Raw, p.arena)
	is, found := false, jsonscan.Value{Kind: jsonscan.Null, Raw: []byte("null")}
	for s.Object(); s.Next(); {
		switch string(s.Key()) {
		case "string_value", "int_value", "float_value", "double_value":
			is = true
			if inner := s.Value(); inner.Kind > jsonscan.Null && found.Kind == jsonscan.Null {
				found = inner
			}
		default:
			s.Value()
		}
	}
	if is {
		return found
	}
	return v
}
