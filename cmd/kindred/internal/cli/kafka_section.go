package cli

import (
	"github.com/kindred-id/kindred/ingest/kafka"
	"github.com/kindred-id/kindred/internal/yamlfile"
)

// kafkaSection is the value of --kafka-config: a file of settings, or the section kafka of the configuration file, which
// holds the same. A file that the command line or the environment names replaces the section.
type kafkaSection struct {
	path   string
	inline *kafka.Config
	leaves []leaf // of the section, for config show
}

// leaf is one value of a section of the configuration file.
type leaf struct {
	key, text string
	line      int
}

// kafkaSectionName is the key of the section.
const kafkaSectionName = "kafka"

// kafkaKeys maps the flags of KafkaFlags to the keys of the section with the same meaning.
var kafkaKeys = map[string]string{
	"kafka-brokers": "brokers", "kafka-topic": "topics", "kafka-group": "group", "kafka-start": "start",
	"kafka-dead-letters": "dead_letters.topic", "kafka-tls": "tls.enabled", "kafka-ca-file": "tls.ca_file",
	"kafka-sasl": "sasl.mechanism", "kafka-user": "sasl.user", "kafka-password-file": passwordFileKey,
}

// passwordFileKey names the file of the SASL password.
const passwordFileKey = "sasl.password_file"

// Set implements pflag.Value.
func (s *kafkaSection) Set(path string) error {
	s.path = path
	return nil
}

// String implements pflag.Value.
func (s *kafkaSection) String() string { return s.path }

// Type implements pflag.Value.
func (*kafkaSection) Type() string { return "string" }

// ReadYAML reads the section. It is read, and found wrong, even if a file replaces it.
func (s *kafkaSection) ReadYAML(d *yamlfile.Decoder, n *yamlfile.Node, key string) {
	s.inline = &kafka.Config{}
	d.Struct(n, key, s.inline)
	if s.path == "" {
		s.leaves = leavesOf(d, n, "")
	}
}

// leavesOf lists the values of a mapping, depth first. A list is one value.
func leavesOf(d *yamlfile.Decoder, n *yamlfile.Node, key string) (list []leaf) {
	for _, e := range d.Entries(n, key) {
		at := yamlfile.Join(key, e.Key)
		switch {
		case yamlfile.IsMapping(e.Node):
			list = append(list, leavesOf(d, e.Node, at)...)
		case yamlfile.IsList(e.Node):
			list = append(list, leaf{at, yamlfile.Line(e.Node), e.Where.Line})
		default:
			list = append(list, leaf{at, e.Node.Value, e.Where.Line})
		}
	}
	return list
}

// config returns the settings of the file or the section; given reports whether there are any.
func (s *kafkaSection) config() (c kafka.Config, given bool, err error) {
	switch {
	case s.path != "":
		c, err = kafka.ReadConfig(s.path)
		return c, true, err
	case s.inline != nil:
		return *s.inline, true, nil
	}
	return c, false, nil
}
