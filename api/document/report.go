package document

// ScoreReport compares the control group with the rest, in the days before as_of.
type ScoreReport struct {
	AsOf         Time    `json:"as_of"`         // end of the window
	From         Time    `json:"from"`          // begin of the window
	WindowDays   int     `json:"window_days"`   // length of the window
	Version      uint64  `json:"version"`       // of the parameters that the bands come from
	Settled      bool    `json:"settled"`       // no event was under way when it began; else the newest may be missing
	ControlShare float64 `json:"control_share"` // share of people in the control group, 0–1
	Confidence   float64 `json:"confidence"`    // of all intervals, 0–1
	Comparison
	Bands []Band `json:"bands"` // every band of discount affinity, as of from
}

// Band is the people of one band of discount affinity.
type Band struct {
	Band string `json:"band" jsonschema:"enum=unknown,enum=low,enum=medium,enum=high"`
	Comparison
}

// Comparison is the control group beside the rest. Differences are the rest less the control group.
type Comparison struct {
	Control Group       `json:"control"`
	Rest    Group       `json:"rest"`
	Bought  *Difference `json:"bought_difference" jsonschema:"nullable"` // of bought_share; null where a group is empty
	Revenue []Revenue   `json:"revenue"`                                 // by currency, never added up
}

// Group is what a group of people did in the window.
type Group struct {
	People         uint64   `json:"people"`
	Buyers         uint64   `json:"buyers"`                             // people with an order
	BoughtShare    *float64 `json:"bought_share" jsonschema:"nullable"` // buyers of people, 0–1; null without people
	Orders         uint64   `json:"orders"`
	CouponOrders   uint64   `json:"coupon_orders"`                      // orders with a coupon
	CouponShare    *float64 `json:"coupon_share" jsonschema:"nullable"` // coupon_orders of orders, 0–1; null without an order
	OffersSent     uint64   `json:"offers_sent"`
	OffersAccepted uint64   `json:"offers_accepted"` // of those sent in the window
}

// Revenue is net revenue in one currency, less refunds. Amounts are in its unit.
type Revenue struct {
	Currency         string      `json:"currency"` // ISO 4217 code
	ControlTotal     Amount      `json:"control_total"`
	RestTotal        Amount      `json:"rest_total"`
	ControlPerPerson float64     `json:"control_per_person"`
	RestPerPerson    float64     `json:"rest_per_person"`
	Incremental      *Difference `json:"incremental_per_person" jsonschema:"nullable"` // null where no interval can be computed
}

// Difference is a difference with its confidence interval.
type Difference struct {
	Difference float64 `json:"difference"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
}
