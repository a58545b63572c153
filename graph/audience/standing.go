package audience

// Standing is what definitions make of a person at one moment.
type Standing struct {
	Audiences []In       // that the person is in, by key
	Computed  []Computed // traits that have a value, by key
}

// In is an audience that a person is in.
type In struct {
	Key    string
	Number uint32 // in its deployment
	Since  int64  // when that was found, ms since 1970 UTC; 0 if it is not known
}

// Computed is a computed trait of a person.
type Computed struct {
	Key   string
	Value Value
	Until int64 // when it may change without an event; Never
}
