package score

// Names gives equal names one string: those of traits and of categories, of which a deployment has few and each person some.
// A name that is new, short and early enough is kept; any other is copied, so that what is kept is bounded, whatever the
// events say. The zero Names is ready, and a nil one keeps nothing. One goroutine at a time uses it.
type Names struct{ kept map[string]string }

// Bounds of what Names keeps: 20 KiB or so.
const (
	namesMost  = 512
	nameLength = 32 // bytes
)

// Of returns a name as a string.
func (n *Names) Of(name []byte) string {
	if n == nil || len(name) > nameLength {
		return string(name)
	}
	if kept, found := n.kept[string(name)]; found {
		return kept
	}
	own := string(name)
	if len(n.kept) < namesMost {
		if n.kept == nil {
			n.kept = make(map[string]string)
		}
		n.kept[own] = own
	}
	return own
}
