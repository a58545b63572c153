package kafka

import (
	"fmt"

	"github.com/kindred-id/kindred/internal/yamlfile"
)

// configMax bounds a file of configuration, in bytes.
const configMax = 1 << 20

// ReadConfig reads a file of configuration: YAML. It fails with everything that is wrong with the file at once, a line a
// problem; keys that mean nothing are problems, too.
func ReadConfig(path string) (Config, error) {
	text, err := yamlfile.Read(path, configMax)
	if err != nil {
		return Config{}, fmt.Errorf("read the configuration of Kafka: %w", err)
	}
	return parseConfig(path, text)
}

func parseConfig(path string, text []byte) (Config, error) {
	var c Config
	if err := yamlfile.Unmarshal(path, "kafka", text, &c); err != nil {
		return Config{}, err
	}
	return c, nil
}

// UnmarshalText reads where to start.
func (s *Start) UnmarshalText(text []byte) (err error) {
	*s, err = ParseStart(string(text))
	return err
}

// SetPassword gives the password of SASL, in place of a file.
func (c *Config) SetPassword(password string) { c.SASL.Password = password }
