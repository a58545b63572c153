package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/spf13/cobra"
)

// The access key that a command shows to a server is in a variable, or in a file. A flag would show it in the list of
// processes.
const (
	keyVariable = "KINDRED_KEY"
	keyFlag     = "key-file"
)

// keyLetters are the characters of a key, or of a token of an identity provider.
const keyLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/="

// keyFileMax bounds how much of a key file is read, in bytes.
const keyFileMax = 1 << 10

// addKey adds the flag that names the file with the access key of a command.
func addKey(cmd *cobra.Command) {
	cmd.Flags().String(keyFlag, "", "file with the access key for the server (default: the key in the variable "+keyVariable+")")
	WithEnv(cmd.Flags(), keyFlag)
}

// AddServer adds the flags of a command that may send to a server.
func AddServer(cmd *cobra.Command, url *string, name, usage string) {
	cmd.Flags().StringVar(url, name, "", usage)
	addKey(cmd)
}

// Connect returns a client of a server, which shows the access key of the command if it has one.
func Connect(cmd *cobra.Command, address string) (*client.Client, error) {
	key, err := readKey(cmd)
	if err != nil {
		return nil, Exit(ExitUsage, err)
	}
	c, err := client.New(address, nil)
	if err != nil {
		return nil, Exit(ExitUsage, err)
	}
	c.SetKey(key)
	return c, nil
}

// AboutKey adds to an error about an access key which server gave it, and where the command found the key. Other errors stay
// as they are.
func AboutKey(cmd *cobra.Command, address string, err error) error {
	var p *client.Problem
	if !errors.As(err, &p) {
		return err
	}
	switch p.Code {
	case document.CodeNoKey:
		p.Hint = "give --" + keyFlag + " FILE, or set " + keyVariable + "; kindred keys create makes one"
		return fmt.Errorf("%s: %w", address, err)
	case document.CodeUnknownKey, document.CodeKeyExpired, document.CodeKeyRevoked, document.CodeWrongScope:
		return fmt.Errorf("%s, with the key in %s: %w", address, keyPlace(cmd), err)
	}
	return err
}

// keyPlace names where the access key of a command is: the variable, or the file.
func keyPlace(cmd *cobra.Command) string {
	flag := cmd.Flags().Lookup(keyFlag)
	if os.Getenv(keyVariable) != "" && !flag.Changed {
		return keyVariable
	}
	return flag.Value.String()
}

// readKey reads the access key of a command. No error quotes a file's content.
func readKey(cmd *cobra.Command) (string, error) {
	flag := cmd.Flags().Lookup(keyFlag)
	if keyPlace(cmd) == keyVariable {
		return strings.TrimSpace(os.Getenv(keyVariable)), nil
	}
	if flag.Value.String() == "" {
		return "", nil
	}
	f, err := os.Open(flag.Value.String())
	if err != nil {
		return "", fmt.Errorf("--%s: %w", keyFlag, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, keyFileMax))
	if err != nil {
		return "", fmt.Errorf("--%s: %w", keyFlag, err)
	}
	key := strings.TrimSpace(string(text))
	if key == "" || strings.Trim(key, keyLetters) != "" {
		return "", fmt.Errorf("--%s: %s: want one key, such as ak_…", keyFlag, f.Name())
	}
	return key, nil
}
