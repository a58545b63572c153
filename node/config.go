package node

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/ingest/kafka"
	"github.com/kindred-id/kindred/node/rulesfile"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// Config is the configuration of a Kindred. Dir is required. The zero value of every other field is its default, and
// starts an engine that only this process can reach.
type Config struct {
	// Dir is the data directory. It is created if it does not exist, unless MustExist is set.
	Dir       string
	MustExist bool
	// Rules is a preset or a file. Default: the rules that the directory was last used with; in a new directory, the
	// preset default.
	Rules string
	// Locale states the region and the currency of the rules. Default: those of the rules, which assume some until somebody
	// states them.
	Locale Locale
	// Memory bounds the process, in bytes, at least storage.MinMemory. Default: storage.DefaultMemory. The caller sets the
	// limits of the Go runtime (see storage.Memory.GoLimit), since those belong to the process.
	Memory int64
	// Shards is the number of shards, fixed when a directory is created. Default: that of the directory; in a new
	// directory, 64.
	Shards int
	// SecretFile holds the secret that keys the hashes of identifiers, 32 hexadecimal digits. Default: the secret of the
	// directory; in a new directory, a random one. Two directories with the same secret give the same public ids.
	SecretFile string
	// Terms override the settings of scores in the rules.
	Terms Terms
	// ControlShare is the share of customers in the control group, 0 to 1. Default: 0, an empty group.
	ControlShare float64
	// Refit fits the parameters of the scores again once a day, and when the number of customers has grown. Default: they
	// are fitted only on demand.
	Refit bool
	// Feed switches the change feed on and bounds it. Once on, it stays on.
	Feed feed.Settings

	// Listen is the address of the HTTP server; port 0 selects a free port. Default: no server, only Handler.
	Listen string
	// Origins are the origins of pages that may send events, such as https://shop.example; "*" is any, "none" alone is no
	// page. Default: any.
	Origins []string
	// AdminListen is a loopback address for pprof and the level of the log: a port, or HOST:PORT. Default: none.
	AdminListen string
	// Access says whom the HTTP server lets in.
	Access Access
	// Mappings are those of POST /v1/map/{mapping}, NAME=FILE each. Default: the ready-made ones alone.
	Mappings []string
	// DeadLetters bounds the events that came over HTTP and were refused, and that are kept for the operator.
	DeadLetters DeadLetters
	// Kafka names the topics to consume. Default: no topics.
	Kafka *kafka.Config
	// Publish is the destination of the change feed. Default: it is not published.
	Publish Publish

	// Cluster makes the process a node among others; then SecretFile is required, and Rules are those of the deployment. Default: the
	// process is alone.
	Cluster *Membership

	// Version is the version that the HTTP server reports.
	Version string
	// Logger takes notes and warnings, never an identifier. Default: nothing is logged.
	Logger *slog.Logger
	// LogLevel is the level of Logger, which the admin listener shows and sets. Default: it can't be set.
	LogLevel *slog.LevelVar
	// OnMerge is actors.Config.Merged.
	OnMerge func([]graph.Merge)
}

// Defaults of a Config.
const (
	defaultShards = 64 // enough for many machines, and cheap on one
	defaultRules  = "default"
)

// ConfigError is a Config that cannot run. New returns it, and so does Start for a setting that contradicts the directory.
type ConfigError struct{ Err error }

func (e *ConfigError) Error() string { return e.Err.Error() }

func (e *ConfigError) Unwrap() error { return e.Err }

// check fills in defaults and validates all settings in one table. It reports every problem at once and reads no files:
// Start reads those that settings name (the secret, the rules), before it creates a directory (N1).
func (c *Config) check() error {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Memory == 0 {
		c.Memory = storage.DefaultMemory()
	}
	_, memory := storage.SplitMemory(c.Memory)
	_, origins := route.NewOrigins(c.Origins)
	_, mappings := readMappings(c.Mappings)
	_, admin := adminAddress(c.AdminListen)
	var topics error
	if c.Kafka != nil {
		topics = c.Kafka.Check()
	}
	if err := errors.Join(
		unless(c.Dir != "", "no data directory; give --data DIR"),
		unless(c.Shards >= 0 && c.Shards <= row.MaxShards, "--shards %d: want 1 to %d", c.Shards, row.MaxShards),
		memory,
		c.Locale.check(),
		origins,
		mappings,
		admin,
		c.Access.check(),
		c.DeadLetters.check(),
		unless(!c.DeadLetters.Off || c.Access.UnknownKey != KeyQuarantined, "--unknown-key quarantine: events are kept as dead letters; leave --dead-letters-off out"),
		topics,
		c.Publish.check(),
	); err != nil {
		return &ConfigError{err}
	}
	return nil
}

// Check reports everything about c that Start would refuse before it creates a directory or binds an address. It reads the
// files that settings name, and opens, writes and connects to nothing.
func Check(c Config) error {
	if err := c.check(); err != nil {
		return err
	}
	_, err := c.read()
	return err
}

// settled is what settings stand for: their files are read.
type settled struct {
	memory  storage.Memory
	control score.Control
	secret  row.Secret      // zero: none was given
	rules   *rulesfile.File // nil: none were given
}

// read reads the files that settings name.
func (c *Config) read() (s settled, err error) {
	if s.memory, err = storage.SplitMemory(c.Memory); err != nil {
		return s, err
	}
	if s.control, err = score.NewControl(c.ControlShare); err != nil {
		return s, err
	}
	if c.SecretFile != "" {
		if s.secret, err = readSecret(c.SecretFile); err != nil {
			return s, err
		}
	}
	if c.Rules != "" {
		if s.rules, err = rulesfile.Load(c.Rules); err != nil {
			return s, err
		}
		if err := c.Locale.agree(s.rules); err != nil {
			return s, &ConfigError{err}
		}
	}
	if err := c.Access.checkFiles(); err != nil {
		return s, &ConfigError{err}
	}
	return s, c.Terms.check(s.rules)
}

// unless returns nil if ok is set, and otherwise an error.
func unless(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}
