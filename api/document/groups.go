package document

// Memberships are a page of the groups that a person's group events name, by id.
type Memberships struct {
	ID     string       `json:"id"` // public id of the person
	Groups []Membership `json:"groups"`
	Next   TextOrNull   `json:"next"` // cursor of the next page; null at the end
}

// Membership is a group, such as a company, that events say a person belongs to.
type Membership struct {
	ID        string `json:"id"`         // groupId, as it was sent
	Events    uint64 `json:"events"`     // group events that name it
	FirstSeen Time   `json:"first_seen"` // time of the first of them
	LastSeen  Time   `json:"last_seen"`  // time of the last of them
}
