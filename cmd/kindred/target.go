package main

import (
	"cmp"
	"log/slog"

	"github.com/kindred-id/kindred/api"
	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/ingest/kafka"
	"github.com/kindred-id/kindred/node"
	"github.com/spf13/cobra"
)

// target is whom a command talks to: a running server, or a directory that it opens itself.
type target struct {
	url      string
	instance instanceFlags
}

func addTarget(cmd *cobra.Command) *target {
	t := &target{}
	flags := cmd.Flags()
	flags.StringVar(&t.url, "url", client.DefaultURL, "running server to talk to")
	flags.StringVar(&t.instance.options.Dir, "data", "", "open this data directory instead; no other process may have it open")
	flags.StringVar(&t.instance.options.Rules, "rules", "", "with --data: preset or file of rules; default those of the last time")
	flags.Var(&t.instance.memory, "memory", "with --data: memory to use")
	addTerms(cmd, &t.instance.options.Terms)
	addControl(cmd, &t.instance.options.ControlShare)
	withEnv(flags, "url", "rules", "memory")
	return t
}

// with calls fn with a client of the target.
func (t *target) with(cmd *cobra.Command, fn func(*client.Client) error) error {
	if cmd.Flags().Changed("url") && cmd.Flags().Changed("data") {
		return usageError("%s: give --url or --data, not both", cmd.Name())
	}
	if t.instance.options.Dir == "" {
		if cmd.Flags().Changed("rules") {
			return usageError("%s: the rules are the server's: give --rules with --data only", cmd.Name())
		}
		for _, name := range termsFlags {
			if cmd.Flags().Changed(name) {
				return usageError("%s: the settings of scores are the server's: give --%s with --data only", cmd.Name(), name)
			}
		}
		c, err := client.New(t.url, nil)
		if err != nil {
			return &exitError{exitUsage, err}
		}
		return fn(c)
	}
	logger := t.instance.logger(cmd.ErrOrStderr())
	t.instance.options.MustExist = true
	i, err := t.instance.open(cmd.Context(), logger)
	if err != nil {
		return err
	}
	if err = i.Judged(cmd.Context()); err == nil {
		err = withInstance(i, logger, fn)
	}
	return cmp.Or(err, closeInstance(i, logger))
}

// withInstance calls fn with a client of an instance in this process.
func withInstance(i *node.Instance, logger *slog.Logger, fn func(*client.Client) error) error {
	server, err := newServer(i, logger, nil, nil)
	if err != nil {
		return err
	}
	c, err := client.New("http://kindred", client.InProcess{Handler: server})
	if err != nil {
		return err
	}
	return fn(c)
}

// newServer makes the HTTP server of an instance, with what a consumer and a publisher show where they are not nil.
func newServer(i *node.Instance, logger *slog.Logger, consumer *kafka.Consumer, published *publishing) (*api.Server, error) {
	config := api.Config{
		Engine: i.Engine, Registry: i.Registry, Decode: i.IngestOptions(true), Version: readVersion().Version,
		Backup: i.Store.Backup, Scores: i.Scores, Control: i.Control, Rules: string(i.Rules.YAML()), Logger: logger,
	}
	if consumer != nil {
		config.Collectors = append(config.Collectors, consumer.Metrics())
		config.Checks = append(config.Checks, kafkaCheck(consumer))
	}
	if published != nil {
		config.Collectors = append(config.Collectors, published.publisher.Metrics())
		config.Checks = append(config.Checks, published.check)
	}
	return api.New(config)
}
