package document

// AccessKey is an access key, without the key itself: that is shown once, when it is made.
type AccessKey struct {
	ID            string     `json:"id"` // the first digits of the key's SHA-256, in hexadecimal
	Name          string     `json:"name"`
	Kind          string     `json:"kind" jsonschema:"enum=write,enum=read,enum=admin,enum=erase,enum=ops"`
	Role          string     `json:"role,omitempty"` // whose scopes it has, if it was made for a role
	Scopes        []string   `json:"scopes"`         // what it may do
	Source        string     `json:"source,omitempty"`
	State         string     `json:"state" jsonschema:"enum=live,enum=rotated,enum=expired,enum=revoked"` // rotated: live beside its successor
	Created       Time       `json:"created"`
	Expires       TimeOrNull `json:"expires"`
	Revoked       TimeOrNull `json:"revoked"`
	RatePerSecond int        `json:"rate_per_second,omitempty"` // requests; without it, the number that the server allows each key
	Successor     string     `json:"successor,omitempty"`       // id of the key that takes its place
}

// AccessKeys are access keys of a deployment, the newest first: all of them, unless a page was asked for.
type AccessKeys struct {
	Keys []AccessKey `json:"keys"`
	Next TextOrNull  `json:"next"` // cursor of the next page; null at the end
}

// NewAccessKey is a key that was just made. Nothing shows it again.
type NewAccessKey struct {
	Key string `json:"key"` // what clients send
	AccessKey
}

// AccessKeyRequest asks for a new access key.
type AccessKeyRequest struct {
	Name             string   `json:"name" jsonschema:"required"`   // for people, up to 64 bytes
	Kind             string   `json:"kind,omitempty"`               // write, read, admin, erase or ops; without it, the kind of the role
	Role             string   `json:"role,omitempty"`               // viewer, marketer, engineer, privacy or admin: the key has its scopes
	Scopes           []string `json:"scopes,omitempty"`             // without it, those of the role or of the kind
	Source           string   `json:"source,omitempty"`             // of the events of a write key; without it, the name
	ExpiresInSeconds int64    `json:"expires_in_seconds,omitempty"` // without it, the key does not expire
	RatePerSecond    int      `json:"rate_per_second,omitempty"`    // requests; without it, the number that the server allows each key
}

// RotationRequest asks for the successor of an access key.
type RotationRequest struct {
	OverlapSeconds int64 `json:"overlap_seconds,omitempty"` // how long the old key stays valid
}
