package identifier

const (
	// phonesPerGeneration bounds each half of the cache.
	phonesPerGeneration = 4096
	// phoneBytesMax bounds what is worth remembering: no real number is written in more.
	phoneBytesMax = 48
)

// phone is a number as read: its normal form, or why it has none.
type phone struct {
	value string
	err   error
}

// A phoneCache remembers how numbers were read. It has two generations of phonesPerGeneration: new
// entries go into the young one; when that is full it becomes the old one, and the old one is
// forgotten. An entry that is used while old is young again. So what was used within the last
// phonesPerGeneration distinct numbers is there, without a list to keep in order.
type phoneCache struct{ young, old map[string]phone }

func (c *phoneCache) get(raw []byte) (phone, bool) {
	p, ok := c.young[string(raw)]
	if ok {
		return p, true
	}
	if p, ok = c.old[string(raw)]; ok {
		c.put(raw, p)
	}
	return p, ok
}

func (c *phoneCache) put(raw []byte, p phone) {
	if len(raw) > phoneBytesMax {
		return
	}
	if c.young == nil {
		c.young, c.old = make(map[string]phone), make(map[string]phone)
	}
	if len(c.young) >= phonesPerGeneration {
		c.young, c.old = c.old, c.young
		clear(c.young)
	}
	c.young[string(raw)] = p
}
