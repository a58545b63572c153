package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/kindred-id/kindred/ingest/kafka"
	"github.com/kindred-id/kindred/internal/broker"
	"github.com/spf13/cobra"
)

// KafkaFlags say which brokers to reach, and how.
type KafkaFlags struct {
	file                          string
	brokers, topics               []string
	group, start, letters         string
	tls                           bool
	ca, mechanism, user, password string
}

// AddKafka adds the flags of commands that speak with Kafka; those of one that consumes, with topics.
func AddKafka(cmd *cobra.Command, consumes bool) *KafkaFlags {
	f := &KafkaFlags{}
	flags := cmd.Flags()
	flags.StringVar(&f.file, "kafka-config", "", "file with all settings of Kafka, see docs/kafka.md; these flags come before it")
	flags.StringSliceVar(&f.brokers, "kafka-brokers", nil, "brokers to begin with, HOST:PORT,…")
	flags.StringVar(&f.letters, "kafka-dead-letters", "", "topic of events that were rejected (default "+kafka.DefaultDeadLetters+")")
	flags.BoolVar(&f.tls, "kafka-tls", false, "speak TLS with the brokers")
	flags.StringVar(&f.ca, "kafka-ca-file", "", "who may sign the brokers' certificates, in PEM (default the system's)")
	flags.StringVar(&f.mechanism, "kafka-sasl", "", "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER")
	flags.StringVar(&f.user, "kafka-user", "", "user of SASL")
	flags.StringVar(&f.password, "kafka-password-file", "", "file with the password of SASL; or set "+passwordVariable)
	WithEnv(flags, "kafka-config", "kafka-brokers", "kafka-dead-letters", "kafka-tls", "kafka-ca-file", "kafka-sasl", "kafka-user", "kafka-password-file")
	if consumes {
		flags.StringSliceVar(&f.topics, "kafka-topic", nil, "topics to consume, NAME,…; in JSON, unless the file says otherwise")
		flags.StringVar(&f.group, "kafka-group", "", `consumer group to which offsets are committed for others to see, "-" for none (default `+kafka.DefaultGroup+")")
		flags.StringVar(&f.start, "kafka-start", "", "where a topic begins that was never consumed: earliest, latest, or a time (default earliest)")
		WithEnv(flags, "kafka-topic", "kafka-group", "kafka-start")
	}
	return f
}

// passwordVariable holds the password of SASL. It is no flag, as everybody sees those.
const passwordVariable = "KINDRED_KAFKA_PASSWORD"

// Config is what the flags and the file say; nil when they say nothing.
func (f *KafkaFlags) Config(cmd *cobra.Command) (*kafka.Config, error) {
	var c kafka.Config
	if f.file != "" {
		var err error
		if c, err = kafka.ReadConfig(f.file); err != nil {
			return nil, Exit(ExitUsage, err)
		}
	} else if len(f.brokers) == 0 && len(f.topics) == 0 {
		return nil, nil
	}
	if err := f.over(&c); err != nil {
		return nil, Exit(ExitUsage, fmt.Errorf("%s: %w", cmd.Name(), err))
	}
	return &c, nil
}

// Connection says how to reach brokers that are named elsewhere: with the TLS and SASL of the flags and the file.
func (f *KafkaFlags) Connection(brokers []string) (broker.Connection, error) {
	var c kafka.Config
	if f.file != "" {
		var err error
		if c, err = kafka.ReadConfig(f.file); err != nil {
			return broker.Connection{}, err
		}
	}
	if err := f.over(&c); err != nil {
		return broker.Connection{}, err
	}
	c.Brokers = brokers
	connection := c.Connection()
	return connection, connection.Check()
}

// over puts the flags over what a file says.
func (f *KafkaFlags) over(c *kafka.Config) (err error) {
	if len(f.brokers) > 0 {
		c.Brokers = f.brokers
	}
	if len(f.topics) > 0 {
		of := make(map[string]kafka.Topic)
		for _, t := range c.Topics {
			of[t.Topic] = t
		}
		c.Topics = nil
		for _, name := range f.topics {
			t := of[name]
			t.Topic = name
			c.Topics = append(c.Topics, t)
		}
	}
	for _, s := range []struct {
		to   *string
		flag string
	}{
		{&c.Group, f.group},
		{&c.DeadLetters.Topic, f.letters},
		{&c.TLS.CAFile, f.ca},
		{&c.SASL.Mechanism, strings.ToUpper(f.mechanism)},
		{&c.SASL.User, f.user},
		{&c.SASL.PasswordFile, f.password},
	} {
		if s.flag != "" {
			*s.to = s.flag
		}
	}
	c.TLS.Enabled = c.TLS.Enabled || f.tls
	if password := os.Getenv(passwordVariable); password != "" {
		c.SetPassword(password)
	}
	if f.start != "" {
		c.Start, err = kafka.ParseStart(f.start)
	}
	return err
}

// Required is what the flags and the file say, of a command that can't do without.
func (f *KafkaFlags) Required(cmd *cobra.Command) (*kafka.Config, error) {
	config, err := f.Config(cmd)
	if err == nil && (config == nil || len(config.Brokers) == 0) {
		return nil, UsageError("%s: which brokers? Give --kafka-brokers HOST:PORT or --kafka-config FILE", cmd.Name())
	}
	return config, err
}
