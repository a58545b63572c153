package kafka

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/ingest/record"
	"github.com/kindred-id/kindred/internal/broker"
)

const wholeConfig = `
brokers: [a:9092, b:9092]
client_id: us
rack: r1
group: watched
start: latest
tls: {ca_file: ca.pem, cert_file: c.pem, key_file: k.pem, server_name: kafka}
sasl: {mechanism: SCRAM-SHA-512, user: u, password_file: p}
schema_registry: {urls: [http://r:8081], user: u, password_file: p}
dead_letters: {topic: dead, create: false}
queue_bytes: 1048576
topics:
  - topic: events
    source: web
    source_header: from
    start: earliest
  - topic: orders
    format: avro
    max_record_bytes: 1000
    start: 2026-01-31T00:00:00Z
    map: {type: {value: track}, userId: customer.id, timestamp: {from: ts, unit: ms}}
`

func TestReadConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kafka.yaml")
	if err := os.WriteFile(path, []byte(wholeConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := ReadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	c.setDefaults()
	a, b := c.Topics[0], c.Topics[1]
	if a.Format != record.JSON || a.sourceHeader() != "from" || a.Start.Latest || b.Start.Time != 1769817600000 || b.Mapping == nil ||
		*c.DeadLetters.Create || c.DeadLetters.Topic != "dead" || !c.Start.Latest || c.Group != "watched" || len(c.Brokers) != 2 {
		t.Errorf("%+v", c)
	}
	for text, says := range map[string]string{
		"brokers: [a:1]\nbroker: x":                       "kafka.yaml:2: broker: unknown key; known here: brokers, client_id",
		"topics:\n- topic: a\n  map: {}":                  "kafka.yaml:3: topics.map: a mapping without fields",
		"start: yesterday":                                "kafka.yaml:1: start: start \"yesterday\": want earliest",
		"dead_letters: {name: x}":                         "kafka.yaml:1: dead_letters.name: unknown key; known here: topic, create",
		"dead_letters: {create: 1}":                       `dead_letters.create: want true or false, got "1"`,
		"topics: [{topic: a, map: {a: {x: 1}}}]":          "topics.map.a.x: unknown key; known here: from, sum, value",
		"queue_bytes: much":                               `queue_bytes: want a whole number, got "much"`,
		"brokers: a:1":                                    "brokers: want a list",
		"client_id: {a: b}":                               "client_id: want a text, got keys with values",
		"tls: {enabled: true}\nsasl: {mechanisms: PLAIN}": "kafka.yaml:2: sasl.mechanisms: unknown key",
		"topics: &t [*t]":                                 "topics: want keys with values, got a list",
		"tls: &t {<<: *t}":                                "tls.<<: unknown key",
	} {
		if _, err := parseConfig("kafka.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
	merged, err := parseConfig("kafka.yaml", []byte("topics: [&one {topic: a, source: web}, {<<: *one, topic: b}, {<<: [*one], topic: c}]"))
	if err != nil || merged.Topics[1].Topic != "b" || merged.Topics[1].Source != "web" || merged.Topics[2].Source != "web" {
		t.Errorf("topics that share settings: %+v, %v", merged.Topics, err)
	}
	if _, err := ReadConfig(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there")
	}
}

func TestConfigCheck(t *testing.T) {
	good := func() Config { return Config{Brokers: []string{"a:9092"}, Topics: []Topic{{Topic: "events"}}} }
	c := good()
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		says   string
		change func(*Config)
	}{
		{"no brokers", func(c *Config) { c.Brokers = nil }},
		{"HOST:PORT", func(c *Config) { c.Brokers = []string{"a"} }},
		{"no topics", func(c *Config) { c.Topics = nil }},
		{"1 to 249", func(c *Config) { c.Topics[0].Topic = "a/b" }},
		{"twice", func(c *Config) { c.Topics = append(c.Topics, c.Topics[0]) }},
		{"dead letters", func(c *Config) { c.Topics[0].Topic = DefaultDeadLetters }},
		{"want one of", func(c *Config) { c.Topics[0].Format = "xml" }},
		{"registry", func(c *Config) { c.Topics[0].Format = record.Avro }},
		{"address", func(c *Config) { c.SchemaRegistry.URLs = []string{"registry:8081"} }},
		{"neither", func(c *Config) { c.TLS.CertFile = "x" }},
		{"no mechanism", func(c *Config) { c.SASL.User = "u" }},
		{"needs user", func(c *Config) { c.SASL.Mechanism = broker.Plain }},
		{"token_file or token_url", func(c *Config) { c.SASL.Mechanism = broker.OAuth }},
		{"mechanism", func(c *Config) { c.SASL.Mechanism = "GSSAPI" }},
		{"max_record_bytes", func(c *Config) { c.Topics[0].MaxRecordBytes = -1 }},
		{"queue_bytes", func(c *Config) { c.QueueBytes = -1 }},
	} {
		c := good()
		test.change(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%v, want it to say %q", err, test.says)
		}
	}
}

func TestChannelNames(t *testing.T) {
	n := channelName{"shop.orders-1_x", 12, "AbC-_d", "0123", 7}
	if got, ok := parseChannelName(n.String()); !ok || got != n {
		t.Errorf("%+v, %t", got, ok)
	}
	for _, other := range []string{"", "a/b", "a/1/x", "a/b/c.d", "a/1/c.d/e"} {
		if got, ok := parseChannelName(other); ok {
			t.Errorf("%q is %+v", other, got)
		}
	}
}
