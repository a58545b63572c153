package document

// Settings are what Segment's library for browsers asks before it sends events.
type Settings struct {
	Integrations struct {
		Segment SegmentSettings `json:"Segment.io"`
	} `json:"integrations"` // where events are sent, and to no other destination
	Metrics struct {
		SampleRate float64 `json:"sampleRate"`
	} `json:"metrics"` // what the library reports about itself: nothing
}

// SegmentSettings say where Segment's library for browsers sends events.
type SegmentSettings struct {
	APIKey   string `json:"apiKey"`   // the write key of the request
	APIHost  string `json:"apiHost"`  // host, port and prefix of the routes
	Protocol string `json:"protocol"` // http or https
}

// SourceConfig is what RudderStack's library for browsers asks before it sends events.
type SourceConfig struct {
	Source RudderSource `json:"source"`
}

// RudderSource is a source of events as RudderStack's library for browsers knows one: enabled, and without destinations of
// the library's own.
type RudderSource struct {
	ID           string        `json:"id"`
	Name         string        `json:"name"`
	WriteKey     string        `json:"writeKey"`
	Enabled      bool          `json:"enabled"`
	WorkspaceID  string        `json:"workspaceId"`
	Config       RudderReports `json:"config"`
	Connections  []struct{}    `json:"connections"`
	Destinations []struct{}    `json:"destinations"`
	DataPlanes   struct{}      `json:"dataplanes"`
}

// RudderReports switch off what RudderStack's library for browsers reports about itself.
type RudderReports struct {
	StatsCollection struct {
		Errors  RudderReport `json:"errors"`
		Metrics RudderReport `json:"metrics"`
	} `json:"statsCollection"`
}

// RudderReport is one kind of report of RudderStack's library for browsers.
type RudderReport struct {
	Enabled bool `json:"enabled"`
}

// Discarded says that what was sent was neither read nor kept.
type Discarded struct {
	Success bool `json:"success" jsonschema:"enum=true"`
}
