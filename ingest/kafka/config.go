package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/kindred-id/kindred/ingest/record"
	"github.com/kindred-id/kindred/internal/broker"
)

// Config lists the topics to consume and how to reach them. Brokers and Topics are required; the zero value of every
// other field selects its default. ReadConfig reads it from a file.
type Config struct {
	// Brokers are the first addresses to contact, as host:port. The client learns the others from them.
	Brokers []string `yaml:"brokers"`
	// ClientID is the name under which brokers log and meter this client; default kindred.
	ClientID string `yaml:"client_id"`
	// Rack, if it is the broker.rack of the brokers near this process, lets records come from the nearest replica.
	Rack string `yaml:"rack"`
	// Group is the consumer group to which offsets are committed, for monitoring only: a start never reads them, and the
	// group must have no members. Default kindred; "-" commits nothing.
	Group string `yaml:"group"`
	// Start is where a topic without history begins, unless the topic has its own start.
	Start Start       `yaml:"start"`
	TLS   broker.TLS  `yaml:"tls"`
	SASL  broker.SASL `yaml:"sasl"`
	// SchemaRegistry holds the schemas of topics in Avro and Protobuf.
	SchemaRegistry Registry    `yaml:"schema_registry"`
	DeadLetters    DeadLetters `yaml:"dead_letters"`
	Topics         []Topic     `yaml:"topics"`
	// QueueBytes bounds the records of all partitions that wait to be read. Default: a quarter of the engine's share for
	// input, because a small record takes twice its bytes in memory, and at most defaultQueueBytes. A fetch may have an
	// eighth of it, compressed. A partition has at least 256 KiB, and may exceed its share by one fetch.
	QueueBytes int `yaml:"queue_bytes"`

	discoverEvery time.Duration
	dialer        func(ctx context.Context, network, address string) (net.Conn, error) // nil: TCP
}

// Defaults of a Config.
const (
	DefaultGroup       = "kindred"
	DefaultDeadLetters = "kindred-dead-letters"
	defaultQueueBytes  = 64 << 20
	defaultSourceName  = "source"
)

// Topic is a topic and the way to read its records.
type Topic struct {
	Topic  string        `yaml:"topic"`
	Format record.Format `yaml:"format"` // default json
	// Mapping turns records that are not events into events.
	Mapping *record.Mapping `yaml:"map"`
	// Source is the source of events whose record has no header with one; default empty.
	Source string `yaml:"source"`
	// SourceHeader is the header with the source; default "source", "-" for no header.
	SourceHeader string `yaml:"source_header"`
	// MaxRecordBytes bounds a record; default 1 MiB. Larger ones are dead letters.
	MaxRecordBytes int   `yaml:"max_record_bytes"`
	Start          Start `yaml:"start"`
}

func (t *Topic) sourceHeader() string {
	switch t.SourceHeader {
	case "":
		return defaultSourceName
	case "-":
		return ""
	}
	return t.SourceHeader
}

// Start is where a topic without history begins: at its first record, which is the zero value, at its end, or at the
// first record written at or after a time.
type Start struct {
	Latest bool
	Time   int64 // ms since 1970; 0 if unused
	set    bool
}

// ParseStart reads earliest, latest, or a time as RFC 3339.
func ParseStart(text string) (Start, error) {
	switch text {
	case "":
		return Start{}, nil
	case "earliest":
		return Start{set: true}, nil
	case "latest":
		return Start{Latest: true, set: true}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.UnixMilli() <= 0 {
		return Start{}, fmt.Errorf("start %q: want earliest, latest, or a time as in 2026-01-31T00:00:00Z", text)
	}
	return Start{Time: t.UnixMilli(), set: true}, nil
}

// Registry is a Confluent schema registry.
type Registry struct {
	URLs         []string `yaml:"urls"`
	User         string   `yaml:"user"`
	PasswordFile string   `yaml:"password_file"`
	CAFile       string   `yaml:"ca_file"`
}

// DeadLetters configures the topic for rejected events.
type DeadLetters struct {
	Topic string `yaml:"topic"` // default DefaultDeadLetters
	// Create makes the topic if it is absent; default true.
	Create *bool `yaml:"create"`
}

var topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

// Check reports every problem of a configuration in one error.
func (c *Config) Check() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf("kafka: "+format, args...)) }
	if len(c.Brokers) == 0 {
		fail("no brokers: give --kafka-brokers HOST:PORT, or brokers in the file")
	}
	for _, b := range c.Brokers {
		if _, _, err := net.SplitHostPort(b); err != nil {
			fail("broker %q: want HOST:PORT", b)
		}
	}
	if len(c.Topics) == 0 {
		fail("no topics: give --kafka-topic, or topics in the file")
	}
	letters := c.DeadLetters.Topic
	if letters == "" {
		letters = DefaultDeadLetters
	}
	if !topicName.MatchString(letters) {
		fail("topic %q for dead letters: want 1 to 249 of a-z, A-Z, 0-9, '.', '_' and '-'", letters)
	}
	seen := make(map[string]bool)
	for i := range c.Topics {
		t := &c.Topics[i]
		switch {
		case !topicName.MatchString(t.Topic):
			fail("topic %q: want 1 to 249 of a-z, A-Z, 0-9, '.', '_' and '-'", t.Topic)
		case seen[t.Topic]:
			fail("topic %s: listed twice; list it once", t.Topic)
		case t.Topic == letters:
			fail("topic %s: it is also the topic for dead letters, which would be consumed again for ever; choose another for either", t.Topic)
		}
		seen[t.Topic] = true
		if _, err := record.ParseFormat(string(t.Format)); err != nil {
			fail("topic %s: %w", t.Topic, err)
		}
		if t.Format.NeedsSchemas() && len(c.SchemaRegistry.URLs) == 0 {
			fail("topic %s is in %s, whose schemas are in a registry: give schema_registry.urls", t.Topic, t.Format)
		}
		if t.MaxRecordBytes < 0 {
			fail("topic %s: max_record_bytes %d: want 0 (default) or more", t.Topic, t.MaxRecordBytes)
		}
	}
	if c.QueueBytes < 0 {
		fail("queue_bytes %d: want 0 (default) or more", c.QueueBytes)
	}
	for _, u := range c.SchemaRegistry.URLs {
		if parsed, err := url.Parse(u); err != nil || parsed.Host == "" || !strings.HasPrefix(parsed.Scheme, "http") {
			fail("schema_registry: %q: want an http:// or https:// address", u)
		}
	}
	errs = append(errs, c.TLS.Check(), c.SASL.Check())
	return errors.Join(errs...)
}

// setDefaults fills in defaults.
func (c *Config) setDefaults() {
	c.Topics = append([]Topic(nil), c.Topics...)
	orElse(&c.Group, DefaultGroup)
	if c.Group == "-" {
		c.Group = ""
	}
	orElse(&c.DeadLetters.Topic, DefaultDeadLetters)
	if c.DeadLetters.Create == nil {
		c.DeadLetters.Create = new(true)
	}
	if c.discoverEvery == 0 {
		c.discoverEvery = discoverEvery
	}
	for i := range c.Topics {
		t := &c.Topics[i]
		orElse((*string)(&t.Format), string(record.JSON))
		if !t.Start.set {
			t.Start = c.Start
		}
	}
}

// queueOr returns the given bound of the queues, or its default.
func queueOr(queueBytes int) int {
	if queueBytes == 0 {
		return defaultQueueBytes
	}
	return queueBytes
}

func orElse(value *string, otherwise string) {
	if *value == "" {
		*value = otherwise
	}
}
