package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/actors/letters"
	"github.com/kindred-id/kindred/actors/scoring"
	"github.com/kindred-id/kindred/api/access"
	"github.com/kindred-id/kindred/api/admin"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/api/stream"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/ingest/record"
	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/prometheus/client_golang/prometheus"
)

// Config is what a server serves, and its limits. Engine and Registry are required; the zero value of any other field is
// its default.
type Config struct {
	Engine   *actors.Engine
	Registry *identifier.Registry
	// Decode says how events are read. Live is always set: over HTTP, events come as they happen.
	Decode segment.Options
	// Admission decides which events enter the engine. Nil, the default, admits all.
	Admission ingest.Admission
	// Mappings are those of POST /v1/map/{mapping}, by name, beside the ready-made ones.
	Mappings map[string]*record.Mapping
	// Tap shows the events of all inputs to GET /v1/debug/events. Default: one of the server's own, which shows those that come
	// over HTTP.
	Tap *ingest.Tap
	// Settled is ingest.Into.Settled of events that come over HTTP.
	Settled func(received int64)
	// Origins are the origins of pages that may send events, such as https://shop.example; see route.NewOrigins. Default:
	// any.
	Origins []string
	// Access decides whom the server lets in. Nil, the default, lets everybody do everything: for a handler that only its own
	// process reaches.
	Access *access.Gate
	// Keys are the access keys of the deployment, for the routes that manage them. Nil, the default, switches these routes off.
	Keys *keyring.Keyring
	// Letters keep the events that are refused. Nil, the default: they are not kept.
	Letters *letters.Letters
	// Console serves the files of the console below /console. Nil, the default: there is no console.
	Console http.Handler
	// Version is shown in /livez, /v1/stats and the metric kindred_build_info.
	Version string
	// Rules is the document of the rules in force, YAML, for GET /v1/rules. Empty, the default, switches
	// the route off.
	Rules string
	// Assumed are the settings of the rules that nobody has stated, with their values, for GET /v1/stats.
	Assumed []string
	// Scores keeps the parameters of the scores. Nil, the default, switches scores off.
	Scores *scoring.Keeper
	// Control is the control group, which gets no offers: profiles of its members say so. The zero value, the default, has
	// no members.
	Control score.Control
	// Backup writes a backup of the engine's store to an absolute directory of this machine. Nil, the
	// default, switches the route off.
	Backup func(dir string) error
	// BackupDir is the folder below which Backup may write. Empty, the default, allows any directory: for a handler that only its
	// own process reaches.
	BackupDir string
	// Logger takes what operators should know; never an identifier. Default: nothing is logged.
	Logger *slog.Logger
	// Metrics is where metrics are registered, and what /metrics shows. Default: a registry of its
	// own, with those of the Go runtime and the process.
	Metrics *prometheus.Registry
	// Collectors are registered beside the server's own: those of inputs that run in the same process.
	Collectors []prometheus.Collector
	// Cluster is what the process knows of its cluster. Default: it is no node of one.
	Cluster func() document.Cluster
	// Nodes drains and removes the nodes of the cluster. It is there if Cluster is.
	Nodes admin.Nodes
	// Topics moves positions of the cluster in topics of Kafka. It is there if Cluster is.
	Topics admin.Topics
	// Checks are asked by /readyz beside the server's own, with a deadline.
	Checks []func(context.Context) document.Check
	// MaxBody bounds one request body, on the wire and inflated, in bytes. Default defaultMaxBody, at
	// most largestMaxBody.
	MaxBody int
	// MaxEvents bounds the events of one request: one with more is refused. Default defaultMaxEvents, more than fit into
	// defaultMaxBody as libraries write them, with an id, a time and a context.
	MaxEvents int
	// BodyBytes bounds the bodies of all requests under way, in bytes. Default half of the engine's share for
	// input, at most defaultBodyBytes; never less than MaxBody.
	BodyBytes int
	// MaxConnections bounds the connections of Serve. Default one for each 32 KiB of the engine's share for input, within
	// fewestConnections and mostConnections.
	MaxConnections int
	// MaxStreams bounds the streams of changes at one time; one key may have half of them. Default stream.DefaultStreams.
	MaxStreams int
	// SortBytes is the memory of one export's sort, and TempDir the directory for what does not fit into
	// it. Default the engine's share for input, at most defaultSortBytes, and the system's.
	SortBytes int
	TempDir   string
}

// Defaults and bounds of a Config.
const (
	defaultMaxBody   = 4 << 20
	largestMaxBody   = 32 << 20
	defaultMaxEvents = 20_000
	defaultBodyBytes = 64 << 20
	defaultSortBytes = stream.DefaultSortBytes

	connectionBytes   = 32 << 10 // of a connection that is slow with its header, about
	fewestConnections = 256
	mostConnections   = 8192
)

// setDefaults fills in defaults, and reports everything that is wrong at once.
func (c *Config) setDefaults() error {
	var errs []error
	if c.Engine == nil || c.Registry == nil {
		return errors.New("api: Engine and Registry are required")
	}
	if err := c.Decode.Check(c.Registry); err != nil {
		errs = append(errs, err)
	}
	c.Decode.Live = true
	if c.MaxBody < 0 || c.MaxBody > largestMaxBody {
		errs = append(errs, fmt.Errorf("body limit of %d bytes: want at most %d, or 0 for %d", c.MaxBody, largestMaxBody, defaultMaxBody))
	}
	if _, err := route.NewOrigins(c.Origins); err != nil {
		errs = append(errs, err)
	}
	if c.MaxEvents < 0 {
		errs = append(errs, fmt.Errorf("limit of %d events a request: want 1 or more, or 0 for %d", c.MaxEvents, defaultMaxEvents))
	}
	if c.BodyBytes < 0 || c.SortBytes < 0 {
		errs = append(errs, errors.New("memory for bodies and for sorting: want 0 (default) or more bytes"))
	}
	if c.MaxConnections < 0 || c.MaxStreams < 0 {
		errs = append(errs, errors.New("connections and streams of changes: want 0 (default) or more"))
	}
	setDefault(&c.MaxConnections, int(min(max(c.Engine.InputBytes()/connectionBytes, fewestConnections), mostConnections)))
	setDefault(&c.MaxStreams, stream.DefaultStreams)
	setDefault(&c.MaxBody, defaultMaxBody)
	setDefault(&c.MaxEvents, defaultMaxEvents)
	setDefault(&c.BodyBytes, int(min(defaultBodyBytes, c.Engine.InputBytes()/2)))
	setDefault(&c.SortBytes, int(min(defaultSortBytes, c.Engine.InputBytes())))
	if c.Tap == nil {
		c.Tap = new(ingest.Tap)
	}
	if c.Version == "" {
		c.Version = "dev"
	}
	if c.Access == nil {
		c.Access = access.New(access.Config{})
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return errors.Join(errs...)
}

func setDefault(value *int, otherwise int) {
	if *value == 0 {
		*value = otherwise
	}
}
