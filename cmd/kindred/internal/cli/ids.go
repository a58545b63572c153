package cli

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/spf13/cobra"
)

// IDHelp explains the arguments of IDArgs.
const IDHelp = "ID is namespace:value, such as email:ann@example.com, in any form that the namespace accepts, or a public id.\nAn address, or a phone number that begins with +, needs no namespace."

// IDArgs requires n ids. It rejects an empty one, which is usually a shell variable that was not set.
func IDArgs(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if slices.Contains(args, "") {
			return errors.New("an id is empty")
		}
		return cobra.ExactArgs(n)(cmd, args)
	}
}

// TraitText formats a trait for people: text without quotes, anything else as JSON.
func TraitText(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return Printable(text)
	}
	return Printable(string(value))
}

// When shortens an RFC 3339 time for people. It stays in UTC.
func When[T ~string](at T) string {
	if len(at) < len("2006-01-02T15:04:05") {
		return "never"
	}
	return string(at[:10] + " " + at[11:19])
}
