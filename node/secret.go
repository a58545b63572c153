package node

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"github.com/kindred-id/kindred/storage/row"
)

// secretFileMax bounds how much of a secret file is read, in bytes.
const secretFileMax = 1 << 10

// readSecret reads a secret of 32 hexadecimal digits, and ignores white space around it. No error quotes the file's
// content.
func readSecret(path string) (row.Secret, error) {
	var secret row.Secret
	f, err := os.Open(path)
	if err != nil {
		return secret, fmt.Errorf("read the secret: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, secretFileMax))
	if err != nil {
		return secret, fmt.Errorf("read the secret: %w", err)
	}
	text = bytes.TrimSpace(text)
	if len(text) != hex.EncodedLen(len(secret)) {
		return secret, badSecret(path)
	}
	if _, err := hex.Decode(secret[:], text); err != nil || secret == (row.Secret{}) {
		return row.Secret{}, badSecret(path)
	}
	return secret, nil
}

func badSecret(path string) error {
	return fmt.Errorf("read the secret: %s: want 32 hexadecimal digits that are not all zero; make them with: openssl rand -hex 16", path)
}
