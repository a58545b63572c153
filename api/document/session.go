package document

// Session says who a browser is signed in as, and what it may do.
type Session struct {
	// Open: the deployment has no keys, and everybody may do everything.
	Open     bool       `json:"open"`
	SignedIn bool       `json:"signed_in"`
	Name     string     `json:"name,omitempty"` // of the key; left out for a person of an identity provider
	Scopes   []string   `json:"scopes"`         // what requests of the browser may do
	Until    TimeOrNull `json:"until"`          // when it ends at the latest; null where there is no session
	Version  string     `json:"version"`        // of Kindred
}

// SignInRequest asks for a session.
type SignInRequest struct {
	Key string `json:"key" jsonschema:"required"` // an access key, or an ID token of the identity provider
}
