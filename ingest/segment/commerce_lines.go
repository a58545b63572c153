package segment

import (
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/internal/jsonscan"
	"github.com/kindred-id/kindred/internal/money"
)

// listFields are the properties that may hold the products, and the names of the fields of their elements.
var listFields = [...]struct{ list, member, price, quantity string }{
	{"properties.products", "properties.products[]", "properties.products[].price", "properties.products[].quantity"},
	{"properties.items", "properties.items[]", "properties.items[].price", "properties.items[].quantity"},
}

// items sums up the products of an order: price times quantity, each line rounded to a minor unit.
type items struct {
	sum            int64
	listed, priced int  // products, and those with a price
	odd            bool // a price or quantity was dropped, so the sum is unknown (M2)
}

// items sums up the products, and collects lines: of an order those with a price, of a refund those without. Instead
// of a list, an object with the products as values is accepted: PHP writes lists with gaps that way.
func (o *orderReader) items(c *graph.OrderChange) (all items) {
	at := 0
	if absent(o.fields[propertyProducts]) {
		at = 1
	}
	list, names := o.fields[propertyProducts+at], &listFields[at]
	if absent(list) {
		return all
	}
	var s jsonscan.Scanner
	s.Reset(list.Raw, &o.d.arena)
	switch list.Kind {
	case jsonscan.Array:
		for s.Array(); s.More(); {
			o.item(&s, at, c, &all)
		}
	case jsonscan.Object:
		if !o.holdsObjects(list) {
			o.d.dropKind(names.list, "a list", list.Kind)
			all.odd = true
			return all
		}
		for s.Object(); s.Next(); {
			o.item(&s, at, c, &all)
		}
	default:
		o.d.dropKind(names.list, "a list", list.Kind)
		all.odd = true
	}
	return all
}

// holdsObjects reports whether all values of an object are objects.
func (o *orderReader) holdsObjects(v jsonscan.Value) bool {
	var s jsonscan.Scanner
	s.Reset(v.Raw, &o.d.arena)
	s.Object()
	for s.Next() {
		if s.Value().Kind != jsonscan.Object {
			return false
		}
	}
	return true
}

// item reads one product. Its default quantity is one.
func (o *orderReader) item(s *jsonscan.Scanner, at int, c *graph.OrderChange, all *items) {
	names := &listFields[at]
	all.listed++
	if kind := s.Peek(); kind != jsonscan.Object {
		s.Value()
		o.d.dropKind(names.member, "an object", kind)
		all.odd = true
		return
	}
	line, price, quantity := o.product(s)
	if o.lost {
		all.odd = true
		return
	}
	priceText, priceState := []byte(nil), amountAbsent
	if !absent(price) {
		priceText, priceState = o.number(names.price, price, o.inRefund, &o.d.rooms[0])
	}
	quantityText, ok := o.quantity(names.quantity, quantity, &o.d.rooms[1])
	if priceState == amountOdd || !ok {
		all.odd = true
		return
	}
	var err error
	if line.Quantity, err = money.Parse(quantityText, graph.QuantityDecimals); err != nil {
		o.dropMoney(names.quantity, o.d.text(quantity), err)
		all.odd = true
		return
	}
	if priceState == amountAbsent {
		if o.inRefund {
			o.addLine(names.list, line, c, all)
		}
		return
	}
	amount, err := money.ParseLine(priceText, quantityText, o.exponent)
	if err == nil {
		all.sum, err = money.Add(all.sum, amount)
	}
	if err != nil {
		o.dropMoney(names.price, o.d.text(price), err)
		all.odd = true
		return
	}
	all.priced++
	if o.inRefund || line.Product == 0 && line.SKU == 0 {
		return
	}
	if line.Price, err = money.Parse(priceText, graph.OpenDecimals); err == nil && len(c.Lines) < graph.LinesMax {
		c.Lines = append(c.Lines, line)
	}
}

// product reads the names of one product, and finds its price and quantity. REQUIRES: the next value is an object
func (o *orderReader) product(s *jsonscan.Scanner) (line graph.OrderLine, price, quantity jsonscan.Value) {
	var preferred [3]int // index of the alias that names the product, the stock keeping unit and the variant
	s.Object()
	for s.Next() {
		key := s.Key()
		switch v := s.Value(); string(key) {
		case "price":
			price = v
		case "quantity":
			quantity = v
		case "product_id":
			o.nameLine(&line.Product, &preferred[0], 3, v)
		case "id":
			o.nameLine(&line.Product, &preferred[0], 2, v)
		case "item_id":
			o.nameLine(&line.Product, &preferred[0], 1, v)
		case "sku":
			o.nameLine(&line.SKU, &preferred[1], 3, v)
		case "sky":
			o.nameLine(&line.SKU, &preferred[1], 2, v)
		case "item_sku":
			o.nameLine(&line.SKU, &preferred[1], 1, v)
		case "variant":
			o.nameLine(&line.Variant, &preferred[2], 2, v)
		case "item_variant":
			o.nameLine(&line.Variant, &preferred[2], 1, v)
		}
	}
	return line, price, quantity
}

// addLine adds a line of a refund, whose price comes from its order.
func (o *orderReader) addLine(field string, line graph.OrderLine, c *graph.OrderChange, all *items) {
	switch {
	case line.Product == 0 && line.SKU == 0:
		all.odd = true // the returned product is unknown
	case len(c.Lines) == graph.LinesMax:
		if !all.odd {
			o.d.drop(field, CodeBadMoney, fmt.Sprintf("has more than %d products without a price", graph.LinesMax),
				"send what was refunded as properties.total")
		}
		all.odd = true
	default:
		c.Lines = append(c.Lines, line)
	}
}

// nameLine records the name of a line's product, unless a preferred alias has named it.
func (o *orderReader) nameLine(hash *uint32, preferred *int, place int, v jsonscan.Value) {
	if *preferred > place || !isText(v) {
		return
	}
	text := o.d.text(v)
	if v.Kind == jsonscan.Number {
		text = wholeNumber(text, &o.d.arena)
	}
	if text = money.TrimSpace(text); len(text) > 0 && !identifier.Junk(text) {
		*hash, *preferred = lineHash(text), place
	}
}

// Names of products and ids of refunds are kept as hashes (FNV-1a): they are only compared, within one order, and 32
// bits tell its few products apart. 0 means no name. The hashes are stored: a change of the function would set the
// lines of a refund apart from those of its order.
const (
	hashBasis = 14695981039346656037
	hashPrime = 1099511628211
)

func hashText(text []byte) uint64 {
	h := uint64(hashBasis)
	for _, c := range text {
		h = (h ^ uint64(c)) * hashPrime
	}
	return h
}

func lineHash(text []byte) uint32 {
	h := hashText(text)
	return max(1, uint32(h>>32)^uint32(h))
}

// refundKey returns the key of a refund with an id of its own; 0 if it has no id.
func refundKey(id []byte) uint64 {
	if len(id) == 0 {
		return 0
	}
	return max(1, hashText(id))
}
