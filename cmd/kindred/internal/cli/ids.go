package cli

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/spf13/cobra"
)

const IDHelp = "ID is namespace:value, such as email:ann@example.com, in any form that the namespace knows, or a public id."

// IDArgs takes n ids. An empty one is a variable that was not set.
func IDArgs(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if slices.Contains(args, "") {
			return errors.New("an id is empty")
		}
		return cobra.ExactArgs(n)(cmd, args)
	}
}

// TraitText is a trait as people read it: text without its quotes, anything else as JSON.
func TraitText(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return Printable(text)
	}
	return Printable(string(value))
}

// When shortens RFC 3339 to what people read; it stays in UTC.
func When[T ~string](at T) string {
	if len(at) < len("2006-01-02T15:04:05") {
		return "never"
	}
	return string(at[:10] + " " + at[11:19])
}
