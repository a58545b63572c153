package document

// People are a page of the people of a deployment, in an order that means nothing.
type People struct {
	Profiles []Encoded[AnyProfile] `json:"profiles"`
	Next     TextOrNull            `json:"next"` // cursor of the next page; null at the end. A page that is not the last may be short or empty
	Read     int                   `json:"read"` // components that were read for the page, a person each but for shared ones
}
