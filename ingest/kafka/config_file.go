package kafka

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"go.yaml.in/yaml/v3"
)

// configMax bounds a file of configuration, in bytes.
const configMax = 1 << 20

// ReadConfig reads a file of configuration: YAML. Keys that mean nothing are errors.
func ReadConfig(path string) (Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return Config{}, fmt.Errorf("read the configuration of Kafka: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, configMax+1))
	if err != nil {
		return Config{}, fmt.Errorf("read the configuration of Kafka: %w", err)
	}
	if len(text) > configMax {
		return Config{}, fmt.Errorf("%s: more than %d bytes", path, configMax)
	}
	c, err := parseConfig(text)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func parseConfig(text []byte) (Config, error) {
	var c Config
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return Config{}, err
	}
	return c, nil
}

// UnmarshalYAML reads where to start.
func (s *Start) UnmarshalYAML(n *yaml.Node) error {
	start, err := ParseStart(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	*s = start
	return nil
}

// UnmarshalYAML reads where dead letters go.
func (d *DeadLetters) UnmarshalYAML(n *yaml.Node) error {
	// A type that reads itself is not strict about keys, so this one is by hand.
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		var err error
		switch key.Value {
		case "topic":
			err = value.Decode(&d.Topic)
		case "create":
			d.createSet = true
			err = value.Decode(&d.Create)
		default:
			err = fmt.Errorf("line %d: dead_letters has no %q: want topic or create", key.Line, key.Value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// SetPassword gives the password of SASL, in place of a file.
func (c *Config) SetPassword(password string) { c.SASL.Password = password }
