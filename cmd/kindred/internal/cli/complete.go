package cli

import (
	"strings"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/node/rulesfile"
	"github.com/spf13/cobra"
)

// completeRules completes the value of --rules: a preset, or a file.
func completeRules(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	var found []string
	for _, name := range rulesfile.Presets() {
		if strings.HasPrefix(name, begun) {
			found = append(found, cobra.CompletionWithDesc(name, "preset"))
		}
	}
	return found, cobra.ShellCompDirectiveDefault
}

// CompleteIDs completes the namespace of an id, for as many ids as a command has. The shell adds no space: a value follows.
// A deployment's rules may name more namespaces, which only a server knows.
func CompleteIDs(ids int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		const directive = cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
		if len(args) >= ids || strings.Contains(begun, ":") {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var found []string
		for _, ns := range graph.DefaultNamespaces() {
			if strings.HasPrefix(ns.Name, begun) {
				found = append(found, ns.Name+":")
			}
		}
		return found, directive
	}
}
