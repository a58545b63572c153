package ingest

import (
	"bytes"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// readInterest fills the event's interest: the category that its properties name or, where they name none, those of
// its products, each once. A category that is no text is dropped: shops send all sorts of things there.
func (d *Decoder) readInterest(kind graph.InterestKind, ev *graph.Event) {
	ev.Interest.Kind = kind
	if ev.Properties == nil {
		return
	}
	var own, ownItem, products, items jsonscan.Value
	var s jsonscan.Scanner
	s.Reset(ev.Properties, &d.arena)
	s.Object()
	for s.Next() {
		key := s.Key()
		v := s.Value()
		switch string(key) {
		case "category":
			own = v
		case "item_category":
			ownItem = v
		case "products":
			products = v
		case "items":
			items = v
		}
	}
	d.addCategory("properties.category", own, ev)
	if len(ev.Interest.Categories) == 0 {
		d.addCategory("properties.item_category", ownItem, ev)
	}
	if len(ev.Interest.Categories) > 0 {
		return
	}
	list, field, each, item := products, "properties.products", "properties.products[].category", "properties.products[].item_category"
	if absent(list) {
		list, field, each, item = items, "properties.items", "properties.items[].category", "properties.items[].item_category"
	}
	switch {
	case list.Kind == jsonscan.Array:
		d.readCategories(list.Raw, each, item, ev)
	case absent(list), isEmptyObject(list), kind == graph.InterestBought: // where the order's reader drops it
	default:
		d.dropKind(field, "a list", list.Kind)
	}
}

// readCategories adds the categories of a list of products, which are at the fields each or item.
func (d *Decoder) readCategories(list []byte, each, item string, ev *graph.Event) {
	var s jsonscan.Scanner
	s.Reset(list, &d.arena)
	s.Array()
	for s.More() {
		if s.Peek() != jsonscan.Object {
			s.Value()
			continue
		}
		var category, itemCategory jsonscan.Value
		s.Object()
		for s.Next() {
			key := s.Key()
			v := s.Value()
			switch string(key) {
			case "category":
				category = v
			case "item_category":
				itemCategory = v
			}
		}
		if !d.addCategory(each, category, ev) {
			d.addCategory(item, itemCategory, ev)
		}
	}
}

// addCategory adds a category that is not there yet; the first graph.InterestCategoriesMax stay. It reports whether v is one.
func (d *Decoder) addCategory(field string, v jsonscan.Value, ev *graph.Event) bool {
	if !isText(v) {
		d.dropKind(field, "a string", v.Kind)
		return false
	}
	category := d.bounded(bytes.TrimSpace(d.text(v)))
	if len(category) == 0 {
		return false
	}
	in := &ev.Interest
	for _, have := range in.Categories {
		if bytes.Equal(have, category) {
			return true
		}
	}
	if len(in.Categories) < graph.InterestCategoriesMax {
		in.Categories = append(in.Categories, category)
	}
	return true
}
