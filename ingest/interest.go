package ingest

import (
	"bytes"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// readInterest fills the event's interest: the category that its properties name or, where they name none, those of
// its products, each once. A category that is no text is none: shops send all sorts of things there, and an event
// is not lost for it.
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
			own = v
		case "item_category":
			if absent(own) {
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
	if absent(products) {
		products = items
	}
	if products.Kind == jsonscan.Array {
		d.readCategories(products.Raw, ev)
	}
}

// readCategories adds the categories of a list of products.
func (d *Decoder) readCategories(list []byte, ev *graph.Event) {
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
			if string(key) == "category" || string(key) == "item_category" && absent(category) {
				category = v
			}
		}
		d.addCategory(category, ev)
	}
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
