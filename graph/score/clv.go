package score

import (
	"errors"
	"fmt"
	"math"
)

// Terms say what of the future counts as customer lifetime value.
type Terms struct {
	HorizonDays    float64 // from now; 0 is 365; math.Inf(1) is all the future, and needs a discount
	AnnualDiscount float64 // 0.15 takes 15 % off for each year that money comes later, up to 1; 0 takes nothing off
	Margin         float64 // share of net revenue that is earned, up to 1; 0 is 1
}

const (
	defaultHorizonDays = 365
	yearWeeks          = 365.25 / weekDays
)

// errTerms is returned for terms that make no sense.
var errTerms = errors.New("terms of lifetime value: invalid")

// WithDefaults puts the defaults in for what is 0.
func (t Terms) WithDefaults() Terms {
	setDefault(&t.HorizonDays, defaultHorizonDays)
	setDefault(&t.Margin, 1)
	return t
}

// Check says what is wrong with terms that have their defaults, so that 0 stands for itself: errTerms.
func (t Terms) Check() error {
	_, err := t.discount()
	return err
}

// discount checks terms with defaults, and gives what they make of the future.
func (t Terms) discount() (Discount, error) {
	if !(t.Margin > 0 && t.Margin <= 1) {
		return Discount{}, fmt.Errorf("%w: a margin of %v; give one above 0 and up to 1", errTerms, t.Margin)
	}
	if !(t.AnnualDiscount >= 0 && t.AnnualDiscount <= 1) {
		return Discount{}, fmt.Errorf("%w: an annual discount of %v; give one from 0 to 1, such as 0.15 for 15 %%", errTerms, t.AnnualDiscount)
	}
	if !(t.HorizonDays > 0) {
		return Discount{}, fmt.Errorf("%w: a horizon of %v days; give one above 0", errTerms, t.HorizonDays)
	}
	if math.IsInf(t.HorizonDays, 1) && t.AnnualDiscount == 0 {
		return Discount{}, fmt.Errorf("%w: all the future without a discount is worth no finite sum; give an annual discount, such as 0.15, or a horizon in days", errTerms)
	}
	discount, err := NewDiscount(math.Log1p(t.AnnualDiscount)/yearWeeks, t.HorizonDays/weekDays)
	if err != nil {
		return Discount{}, fmt.Errorf("%w: %w", errTerms, err)
	}
	return discount, nil
}

// clvModel is customer lifetime value: the occasions to come, times what an occasion is worth.
type clvModel struct {
	orders   Model
	spend    GammaGamma
	discount Discount
	margin   float64
}

// newCLV returns the lifetime value of customers under a model of orders, one of spend, and terms; an error names what is
// invalid.
func newCLV(orders Model, spend GammaGamma, terms Terms) (*clvModel, error) {
	if err := orders.Validate(); err != nil {
		return nil, err
	}
	if err := spend.Validate(); err != nil {
		return nil, err
	}
	terms = terms.WithDefaults()
	discount, err := terms.discount()
	if err != nil {
		return nil, err
	}
	return &clvModel{orders: orders, spend: spend, discount: discount, margin: terms.Margin}, nil
}

// Value is the margin expected from the customer over the horizon, from now on, discounted, in minor units. It is 0
// for a history without a purchase.
func (c *clvModel) Value(h History) float64 {
	if h.N <= 0 {
		return 0
	}
	return c.margin * c.spend.Mean(float64(h.N), h.Z) * c.orders.Discounted(h, c.discount)
}

// NewCustomer is the value of somebody at the moment after the first purchase, of unknown amount, and
// without it. Times the chance of a first purchase, it is the value of a visitor.
func (c *clvModel) NewCustomer() float64 {
	return c.margin * c.spend.Population() * c.orders.Discounted(History{}, c.discount)
}
