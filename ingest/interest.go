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
	var own, products, items jsonscan.Value
	var s jsonscan.Scanner
	s.Reset(ev.Properties, &d.arena)
	s.Object()
	for s.Next() {
		key := s.Key()
		v := s.Value()
		switch string(key) {
		case "category":
			if d.isCategory("properties.category", v) {
				own = v
			}
		case "item_category":
			if absent(own) && d.isCategory("properties.item_category", v) {
				own = v
			}
		case "products":
			products = v
		case "items":
			items = v
		}
	}
	if d.addCategory(own, ev); len(ev.Interest.Categories) > 0 {
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
		var category jsonscan.Value
		s.Object()
		for s.Next() {
			key := s.Key()
			v := s.Value()
			switch string(key) {
			case "category":
				if d.isCategory(each, v) {
					category = v
				}
			case "item_category":
				if absent(category) && d.isCategory(item, v) {
					category = v
				}
			}
		}
		d.addCategory(category, ev)
	}
}

// isCategory reports whether a field holds a category, and drops it where it holds what is none.
func (d *Decoder) isCategory(field string, v jsonscan.Value) bool {
	if !isText(v) {
		d.dropKind(field, "a string", v.Kind)
		return false
	}
	return v.Kind > jsonscan.Null
}

// addCategory adds a category that is not there yet; the first graph.InterestCategoriesMax stay.
func (d *Decoder) addCategory(v jsonscan.Value, ev *graph.Event) {
	category := d.bounded(bytes.TrimSpace(d.text(v)))
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
