package generate

import (
	"fmt"
	"sync"
)

// A product is an article of the shop. Text is its properties as JSON, without braces.
type product struct {
	cents int64
	text  []byte
	path  string
}

const products = 360

var catalogue = sync.OnceValue(func() []product {
	makers := [...]string{"Nordhem", "Okapi", "Fjell & Co", "Casa Luz", "Atelier Brun", "Plainwork"}
	kinds := [...]string{"Walnut", "Oak", "Linen", "Brass", "Stoneware", "Recycled glass"}
	things := [...][2]string{
		{"Cutting Board", "Kitchen"},
		{"Table Lamp", "Lighting"},
		{"Duvet Cover", "Bedroom"},
		{"Wall Hook", "Hallway"},
		{"Serving Bowl", "Kitchen"},
		{"Carafe", "Kitchen"},
		{"Side Table", "Living room"},
		{"Candle Holder", "Living room"},
		{"Bath Mat", "Bathroom"},
		{"Desk Tray", "Office"},
	}
	all := make([]product, products)
	for i := range all {
		thing, kind, maker := things[i%10], kinds[i/10%6], makers[i/60%6]
		cents := 499 + int64(mix(uint64(i+1))%19_500)
		all[i] = product{
			cents: cents, path: fmt.Sprintf("/p/%d", 1000+i),
			text: fmt.Appendf(nil, `"product_id":"p%d","category":"%s","name":"%s %s %s","price":%d.%02d`,
				1000+i, thing[1], maker, kind, thing[0], cents/100, cents%100),
		}
	}
	return all
})

// appendMoney appends an amount in the currency's unit, with two decimals.
func appendMoney(dst []byte, cents int64) []byte {
	if cents < 0 {
		dst, cents = append(dst, '-'), -cents
	}
	units := uint64(cents) / 100
	digits := 1
	for n := units; n > 9; n /= 10 {
		digits++
	}
	dst = append(appendDigits(dst, units, digits), '.')
	return appendDigits(dst, uint64(cents)%100, 2)
}
