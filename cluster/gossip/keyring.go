package gossip

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/memberlist"
)

// readKeys reads a file of keys: one a line, 16, 24 or 32 bytes in base64. The first one encrypts, all decrypt. To rotate,
// give every node the new key as a second line, then as the first one, then alone.
func readKeys(path string) ([][]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("gossip: read the keys: %w", err)
	}
	var keys [][]byte
	lines := bufio.NewScanner(bytes.NewReader(text))
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(line)
		if err == nil {
			err = memberlist.ValidateKey(key)
		}
		if err != nil { // not the library's error, which may quote the line
			return nil, fmt.Errorf("gossip: %s, line %d: not 16, 24 or 32 bytes in base64; make a key with \"openssl rand -base64 32\"", path, number)
		}
		keys = append(keys, key)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("gossip: read the keys: %w", err)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("gossip: %s holds no key; make one with \"openssl rand -base64 32\"", path)
	}
	return keys, nil
}

// keyring makes the library's ring of a configuration: nil without keys, which only InsecureDev allows.
func (c *Config) keyring() (*memberlist.Keyring, error) {
	if c.KeyFile == "" {
		if c.InsecureDev {
			return nil, nil
		}
		return nil, errors.New("gossip: no key: anybody could join and read; name a file of keys, or start with --insecure-dev")
	}
	keys, err := readKeys(c.KeyFile)
	if err != nil {
		return nil, err
	}
	return memberlist.NewKeyring(keys, keys[0])
}

// ReloadKeys takes the keys of the file into use: the first one encrypts from now on, and those that are gone no longer
// decrypt.
func (g *Gossip) ReloadKeys() error {
	if g.keys == nil {
		return errors.New("gossip: it was started without keys; restart the node with a file of keys")
	}
	keys, err := readKeys(g.config.KeyFile)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := g.keys.AddKey(key); err != nil {
			return fmt.Errorf("gossip: add a key: %w", err)
		}
	}
	if err := g.keys.UseKey(keys[0]); err != nil {
		return fmt.Errorf("gossip: use the first key: %w", err)
	}
	for _, key := range g.keys.GetKeys() {
		if !slices.ContainsFunc(keys, func(k []byte) bool { return bytes.Equal(k, key) }) {
			if err := g.keys.RemoveKey(key); err != nil {
				return fmt.Errorf("gossip: remove a key: %w", err)
			}
		}
	}
	return nil
}
