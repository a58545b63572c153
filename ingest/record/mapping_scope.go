package record

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/kindred-id/kindred/internal/jsonscan"
)

// scope is an object with the values that paths from it lead to, by slot.
type scope struct {
	root   pick
	values []jsonscan.Value
	scan   jsonscan.Scanner
}

// pick is one key of the paths, which form a tree.
type pick struct {
	key      string
	slots    []int // of the paths that end here
	children []*pick
}

// add returns the place of a path; equal paths share one.
func (s *scope) add(path string) picked {
	n := &s.root
	if path != whole {
		for key := range strings.SplitSeq(path, ".") {
			n = n.add(key)
		}
	}
	if len(n.slots) == 0 {
		n.slots = append(n.slots, len(s.values))
		s.values = append(s.values, jsonscan.Value{})
	}
	return picked{s, n.slots[0]}
}

func (n *pick) add(key string) *pick {
	if c := n.child([]byte(key)); c != nil {
		return c
	}
	c := &pick{key: key}
	n.children = append(n.children, c)
	return c
}

func (n *pick) child(key []byte) *pick {
	for _, c := range n.children {
		if c.key == string(key) {
			return c
		}
	}
	return nil
}

// find returns the node for a key of a record; nil if no path leads there. A key with dots in it, as columns of tables
// have, is found as the path that it reads as.
func (n *pick) find(key []byte) *pick {
	if c := n.child(key); c != nil {
		return c
	}
	for {
		first, rest, more := bytes.Cut(key, dot)
		if !more {
			return n.child(key)
		}
		if n = n.child(first); n == nil {
			return nil
		}
		key = rest
	}
}

var dot = []byte{'.'}

// read picks the values of a text, and returns its kind.
func (s *scope) read(text []byte, arena *jsonscan.Arena) (jsonscan.Kind, error) {
	clear(s.values)
	s.scan.Reset(text, arena)
	kind := s.scan.Peek()
	s.value(&s.root)
	if err := s.scan.End(); err != nil {
		return kind, notJSON(err)
	}
	return kind, nil
}

// value reads the next value, which is at node n of the paths.
func (s *scope) value(n *pick) {
	scan := &s.scan
	v := jsonscan.Value{Kind: scan.Peek()}
	start := scan.Pos()
	switch {
	case len(n.children) == 0:
		v = scan.Value()
	case scan.Object():
		for scan.Next() {
			if c := n.find(scan.Key()); c != nil {
				s.value(c)
			} else {
				scan.Value()
			}
		}
		v.Raw = scan.Since(start)
	case scan.Array():
		var index [20]byte
		for i := int64(0); scan.More(); i++ {
			if c := n.child(strconv.AppendInt(index[:0], i, 10)); c != nil {
				s.value(c)
			} else {
				scan.Value()
			}
		}
		v.Raw = scan.Since(start)
	default:
		v = scan.Value()
	}
	for _, slot := range n.slots {
		s.values[slot] = v
	}
}
