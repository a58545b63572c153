package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/kindred-id/kindred/ingest/kafka"
	"github.com/kindred-id/kindred/internal/broker"
	"github.com/spf13/cobra"
)

// KafkaFlags are the flags of commands that connect to Kafka.
// They override a file of settings flag by flag, so a file may hold the shared part and the command line the rest. A
// flag can set a setting but not clear one: an empty flag means "as in the file".
type KafkaFlags struct {
	file                          kafkaSection
	brokers, topics               []string
	group, start, letters         string
	tls                           bool
	ca, mechanism, user, password string
}

// AddKafka adds the flags of a command that connects to Kafka; if it consumes, also those for topics and offsets.
func AddKafka(cmd *cobra.Command, consumes bool) *KafkaFlags {
	f := &KafkaFlags{}
	flags := cmd.Flags()
	flags.Var(&f.file, "kafka-config", "file with all Kafka settings, see docs/kafka.md; the other --kafka flags override it")
	flags.StringSliceVar(&f.brokers, "kafka-brokers", nil, "bootstrap brokers, HOST:PORT,…")
	flags.StringVar(&f.letters, "kafka-dead-letters", "", "topic for rejected events (default "+kafka.DefaultDeadLetters+")")
	flags.BoolVar(&f.tls, "kafka-tls", false, "connect to the brokers with TLS")
	flags.StringVar(&f.ca, "kafka-ca-file", "", "PEM file of the CAs that sign the brokers' certificates (default: those of the system)")
	flags.StringVar(&f.mechanism, "kafka-sasl", "", "SASL mechanism: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER (default: no SASL)")
	flags.StringVar(&f.user, "kafka-user", "", "SASL user")
	flags.StringVar(&f.password, passwordFlag, "", "file with the SASL password; alternatively, set "+passwordVariable)
	WithEnv(flags, "kafka-config", "kafka-brokers", "kafka-dead-letters", "kafka-tls", "kafka-ca-file", "kafka-sasl", "kafka-user", passwordFlag)
	annotate(flags.Lookup("kafka-config"), sectionAnnotation, kafkaSectionName)
	if consumes {
		flags.StringSliceVar(&f.topics, "kafka-topic", nil, "topics to consume, NAME,…; records are JSON unless --kafka-config says otherwise")
		flags.StringVar(&f.group, "kafka-group", "", `consumer group to commit offsets to, so that lag monitors see progress; "-" commits none (default `+kafka.DefaultGroup+")")
		flags.StringVar(&f.start, "kafka-start", "", "where to begin in a topic that was never consumed: earliest, latest, or a time (default earliest)")
		WithEnv(flags, "kafka-topic", "kafka-group", "kafka-start")
	}
	return f
}

// passwordVariable holds the SASL password. There is no flag for it, because every user of the machine can see flags.
const passwordVariable = "KINDRED_KAFKA_PASSWORD"

// passwordFlag names a file that holds it instead.
const passwordFlag = "kafka-password-file"

// secretVariables are variables that hold a secret itself, each with the setting that names a file instead.
var secretVariables = map[string]string{passwordVariable: passwordFlag, keyVariable: keyFlag}

// Config returns the settings of the file, overridden by the flags, and nil if neither names brokers or topics.
func (f *KafkaFlags) Config(cmd *cobra.Command) (*kafka.Config, error) {
	c, given, err := f.file.config()
	if err == nil {
		err = f.over(cmd, &c)
	}
	if err != nil {
		return nil, Exit(ExitUsage, fmt.Errorf("%s: %w", cmd.Name(), err))
	}
	// A section may say no more than how to reach the brokers to which the change feed is published.
	if named := len(c.Brokers) > 0 || len(c.Topics) > 0; !named && (!given || f.file.path == "") {
		return nil, nil
	}
	return &c, nil
}

// Connection returns how to reach brokers that are named elsewhere, with the TLS and SASL settings of the flags and the
// file.
func (f *KafkaFlags) Connection(cmd *cobra.Command, brokers []string) (broker.Connection, error) {
	c, _, err := f.file.config()
	if err == nil {
		err = f.over(cmd, &c)
	}
	if err != nil {
		return broker.Connection{}, err
	}
	c.Brokers = brokers
	connection := c.Connection()
	return connection, connection.Check()
}

// over overrides settings of a file with the flags that are set.
//
// The topics of the flag replace the topics of the file as a list. A topic that both name keeps the settings of the
// file, such as its format; a topic that only the file names is not consumed. TLS can be switched on but not off.
func (f *KafkaFlags) over(cmd *cobra.Command, c *kafka.Config) (err error) {
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
	if err := overPassword(cmd, c); err != nil {
		return err
	}
	if f.start != "" {
		c.Start, err = kafka.ParseStart(f.start)
	}
	return err
}

// overPassword sets the SASL password of the environment, which overrides a password file of a file of settings, and gives
// way to one of the command line. Of two in the environment neither is first, so they are refused.
func overPassword(cmd *cobra.Command, c *kafka.Config) error {
	password := os.Getenv(passwordVariable)
	switch {
	case password == "" || cmd.Flags().Changed(passwordFlag):
		return nil
	case os.Getenv(variableOf(passwordFlag)) != "":
		return fmt.Errorf("%s and %s are both set; unset one", passwordVariable, variableOf(passwordFlag))
	}
	c.SASL.PasswordFile = ""
	c.SetPassword(password)
	return nil
}

// Given reports whether the command names brokers.
func (f *KafkaFlags) Given(cmd *cobra.Command) bool {
	file := cmd.Flags().Lookup("kafka-config")
	return len(f.brokers) > 0 || file != nil && file.Value.String() != ""
}

// Required is Config for a command that needs brokers.
func (f *KafkaFlags) Required(cmd *cobra.Command) (*kafka.Config, error) {
	config, err := f.Config(cmd)
	if err == nil && (config == nil || len(config.Brokers) == 0) {
		return nil, UsageError("%s: no Kafka brokers; give --kafka-brokers HOST:PORT or --kafka-config FILE", cmd.Name())
	}
	return config, err
}
