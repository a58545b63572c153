package node

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest/kafka"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// Config says what to run. Dir is required; the zero value of everything else is its default, and starts an engine that
// only this process can reach.
type Config struct {
	// Dir is the data directory. A new one is made, unless MustExist.
	Dir       string
	MustExist bool
	// Rules is a preset or a file. Default: the rules that the directory was last used with, and the preset
	// DefaultRules in a new one.
	Rules string
	// Memory bounds the process, in bytes. Default storage.DefaultMemory; at least storage.MinMemory. The caller sets the
	// limits of the Go runtime (see storage.Memory.GoLimit), since those belong to the process.
	Memory int64
	// Shards is fixed when a directory is made. Default: those of the directory, and DefaultShards in a new one.
	Shards int
	// SecretFile holds the secret that keys the hashes of identifiers, 32 hexadecimal digits. Default: that of the
	// directory, and a random one in a new directory. Two directories with the same secret give the same public ids.
	SecretFile string
	// Terms take precedence over the settings of scores that the rules name.
	Terms Terms
	// ControlShare is the share of customers in the control group, 0 to 1. Default 0: nobody.
	ControlShare float64
	// Refit fits the parameters of the scores again once a day, and as customers become more. Default: only on demand.
	Refit bool
	// Feed says whether to keep a change feed, and how much of it. Once on, it stays on.
	Feed feed.Settings

	// Listen is the address of the HTTP server; port 0 takes a free one. Default: none, and Handler answers in process.
	Listen string
	// Kafka names the topics to consume. Default: none.
	Kafka *kafka.Config
	// Publish says where the change feed goes. Default: nowhere.
	Publish Publish

	// Version is the version that the HTTP server reports.
	Version string
	// Logger takes notes and warnings, never an identifier. Default: nothing is logged.
	Logger *slog.Logger
	// OnMerge is actors.Config.Merged.
	OnMerge func([]graph.Merge)
}

// Defaults of a Config.
const (
	DefaultShards = 64 // enough for many machines, and cheap on one
	DefaultRules  = "default"
)

// ConfigError is a Config that cannot run. New returns it, and so does Start for a setting that contradicts the directory.
type ConfigError struct{ Err error }

func (e *ConfigError) Error() string { return e.Err.Error() }

func (e *ConfigError) Unwrap() error { return e.Err }

// check fills in defaults, and is the one table of what settings may be. It reads no data, and reports every problem at
// once. Settings that are files (the secret, the rules) are read by Start, before it makes a directory (N1).
func (c *Config) check() error {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Memory == 0 {
		c.Memory = storage.DefaultMemory()
	}
	_, memory := storage.SplitMemory(c.Memory)
	var topics error
	if c.Kafka != nil {
		topics = c.Kafka.Check()
	}
	if err := errors.Join(
		unless(c.Dir != "", "no data directory: give one with --data DIR"),
		unless(c.Shards >= 0 && c.Shards <= row.MaxShards, "--shards %d: want 1 to %d", c.Shards, row.MaxShards),
		memory,
		topics,
		c.Publish.check(),
	); err != nil {
		return &ConfigError{err}
	}
	return nil
}

// unless is nil when ok, and otherwise an error.
func unless(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}
