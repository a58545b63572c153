package document

// BatchGetRequest names the people to look up, at most 1,000.
type BatchGetRequest struct {
	IDs    []string `json:"ids" jsonschema:"required,maxItems=1000"` // namespace:value, or public ids
	Fields []string `json:"fields,omitempty"`                        // members of the profiles to answer, or traits.NAME; default: all
}

// BatchGetAnswer has a result an id, in the order of the ids.
type BatchGetAnswer struct {
	Results []BatchGetResult `json:"results"`
}

// BatchGetResult is a person that was looked up, or why there is none.
type BatchGetResult struct {
	Requested string              `json:"requested"`         // the id, as it was sent
	Status    string              `json:"status"`            // found, or the code of a Problem
	Profile   Encoded[AnyProfile] `json:"profile,omitempty"` // if found
	Detail    string              `json:"detail,omitempty"`  // if not found
	Hint      string              `json:"hint,omitempty"`    // if not found: what to do
}
