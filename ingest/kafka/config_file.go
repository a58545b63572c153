package kafka

import (
	"fmt"

	"github.com/kindred-id/kindred/internal/redact"
	"github.com/kindred-id/kindred/internal/yamlfile"
)

// configMax bounds a file of configuration, in bytes.
const configMax = 1 << 20

// ReadConfig reads a configuration file in YAML. Its error lists all problems of the file at once, one a line;
// unknown keys are problems, too.
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

// UnmarshalText parses a start.
func (s *Start) UnmarshalText(text []byte) (err error) {
	*s, err = ParseStart(string(text))
	return err
}

// SetPassword sets the password of SASL, so that it need not be in a file.
func (c *Config) SetPassword(password string) { c.SASL.Password = redact.NewSecret(password) }
