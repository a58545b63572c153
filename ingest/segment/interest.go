package segment

import (
	"bytes"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// readInterest fills the event's interest: the category in its properties or, if absent, those of its products, each
// once. A category that is not text is dropped: shops send values of every kind there.
func (c *commerceReader) readInterest(kind graph.InterestKind, ev *graph.Event) {
	ev.Interest.Kind = kind
	if ev.Properties == nil {
		return
	}
	var own, products, items jsonscan.Value
	for i := range c.properties.list {
		switch v := c.properties.list[i].value; c.properties.list[i].means {
		case propertyCategory:
			if c.isCategory("properties.category", v) {
				own = v
			}
		case propertyItemCategory:
			if absent(own) && c.isCategory("properties.item_category", v) {
				own = v
			}
		case propertyProducts:
			products = v
		case propertyItems:
			items = v
		}
	}
	if c.addCategory(own, ev); len(ev.Interest.Categories) > 0 {
		return
	}
	list, names := products, &categoryNames[0]
	if absent(list) {
		list, names = items, &categoryNames[1]
	}
	switch {
	case list.Kind == jsonscan.Array:
		c.readCategories(list.Raw, names, ev)
	case absent(list), isEmptyObject(list), kind == graph.InterestBought: // the order's reader drops it
	default:
		c.dropKind(names.list, "a list", list.Kind)
	}
}

// categoryFields names a list of products, its elements, and the fields with their categories.
type categoryFields struct{ list, member, category, item string }

var categoryNames = [...]categoryFields{
	{"properties.products", "properties.products[]", "properties.products[].category", "properties.products[].item_category"},
	{"properties.items", "properties.items[]", "properties.items[].category", "properties.items[].item_category"},
}

// readCategories adds the categories of a list of products, in the fields of names.
func (c *commerceReader) readCategories(list []byte, names *categoryFields, ev *graph.Event) {
	var s jsonscan.Scanner
	s.Reset(list, &c.arena)
	s.Array()
	for s.More() {
		if s.Peek() != jsonscan.Object {
			if v := s.Value(); ev.Interest.Kind != graph.InterestBought { // the order's reader reports those
				c.dropUnlessEmpty(names.member, v)
			}
			continue
		}
		var category jsonscan.Value
		s.Object()
		for s.Next() {
			key := s.Key()
			v := s.Value()
			switch string(key) {
			case "category":
				if c.isCategory(names.category, v) {
					category = v
				}
			case "item_category":
				if absent(category) && c.isCategory(names.item, v) {
					category = v
				}
			}
		}
		c.addCategory(category, ev)
	}
}

// isCategory reports whether a field holds a category, and drops any other value.
func (c *commerceReader) isCategory(field string, v jsonscan.Value) bool {
	if !isText(v) {
		c.dropKind(field, "a string", v.Kind)
		return false
	}
	return v.Kind > jsonscan.Null
}

// addCategory adds a new category; the first graph.InterestCategoriesMax are kept.
func (c *commerceReader) addCategory(v jsonscan.Value, ev *graph.Event) {
	category := c.bounded(bytes.TrimSpace(c.text(v)))
	in := &ev.Interest
	if len(category) == 0 || len(in.Categories) == graph.InterestCategoriesMax {
		return
	}
	for _, have := range in.Categories {
		if bytes.Equal(have, category) {
			return
		}
	}
	in.Categories = append(in.Categories, category)
}
