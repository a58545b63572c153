// The Go libraries that tests drive against a server: a module of its own, so that Kindred does not depend on them.
module github.com/kindred-id/kindred/internal/testkit/clients/go

go 1.26.0

require (
	github.com/google/uuid v1.3.0
	github.com/rudderlabs/analytics-go/v4 v4.2.1
	github.com/segmentio/analytics-go/v3 v3.3.0
	github.com/segmentio/backo-go v1.0.1
	github.com/tidwall/gjson v1.14.4
	github.com/tidwall/match v1.1.1
	github.com/tidwall/pretty v1.2.1
)
