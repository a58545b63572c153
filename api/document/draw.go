package document

// DrawRequest draws members of an audience by chance.
type DrawRequest struct {
	Suppress []string `json:"suppress,omitempty"` // keys of audiences, whose members are held back
	Limit    int      `json:"limit"`              // people, at most 10,000
	Seed     uint32   `json:"seed"`               // the same seed draws the same people again, as far as they are still there
}

// Draw is some members of an audience, drawn by chance.
type Draw struct {
	Key      string   `json:"key"`
	AsOf     Time     `json:"as_of"`
	Complete bool     `json:"complete"` // false while people are evaluated by a new version of the definitions
	Members  int64    `json:"members"`  // of the audience
	HeldBack []Held   `json:"held_back"`
	Free     int64    `json:"free"` // members who are in no suppression: the draw is of them
	IDs      []string `json:"ids"`  // public ids of those who were drawn, in the order of the draw
}

// Held says how many members of an audience another one holds back.
type Held struct {
	Key    string `json:"key"`
	People int64  `json:"people"` // those of several suppressions count in each
}
