package segment

import (
	"strings"

	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// pathNode is one key in the tree of the configured paths. A nil node is on none of them.
type pathNode struct {
	key        string
	path       string                  // from the event down to this key
	namespaces []*identifier.Namespace // of the paths that end here
	children   []*pathNode
}

// newPaths builds the tree of paths; nil if there are no paths.
func newPaths(reg *identifier.Registry, paths []Path) *pathNode {
	var root *pathNode
	for _, p := range paths {
		if root == nil {
			root = &pathNode{}
		}
		n := root
		for key := range strings.SplitSeq(p.Path, ".") {
			next := n.child([]byte(key))
			if next == nil {
				next = &pathNode{key: key, path: strings.TrimPrefix(n.path+"."+key, ".")}
				n.children = append(n.children, next)
			}
			n = next
		}
		n.namespaces = append(n.namespaces, reg.Namespace([]byte(p.Namespace)))
	}
	return root
}

// child returns the node below n for a key, or nil. Without paths it costs one comparison.
func (n *pathNode) child(key []byte) *pathNode {
	if n == nil {
		return nil
	}
	return n.search(key)
}

func (n *pathNode) search(key []byte) *pathNode {
	for _, c := range n.children {
		if c.key == string(key) {
			return c
		}
	}
	return nil
}

// value reads the next value, which is at n, and finds the identifiers in it that are at configured paths.
func (p *picker) value(s *jsonscan.Scanner, n *pathNode) jsonscan.Value {
	if n == nil {
		return s.Value()
	}
	s.Peek()
	start := s.Pos()
	if len(n.children) > 0 && s.Object() {
		for s.Next() {
			p.value(s, n.child(s.Key()))
		}
		if s.Err() != nil {
			return jsonscan.Value{}
		}
		return jsonscan.Value{Kind: jsonscan.Object, Raw: s.Since(start)}
	}
	v := s.Value()
	for _, ns := range n.namespaces {
		p.found.add(ns, v, n.path)
	}
	return v
}

// candidate is a value that may become an identifier.
type candidate struct {
	namespace *identifier.Namespace
	value     jsonscan.Value
	field     string
}

// candidates are those of one event, in the order of its text.
type candidates []candidate

// add records a candidate unless it is null. It keeps one candidate beyond the limit, so that the event is rejected.
func (c *candidates) add(ns *identifier.Namespace, v jsonscan.Value, field string) {
	if !absent(v) && len(*c) <= maxIdentifiers {
		*c = append(*c, candidate{ns, v, field})
	}
}
