// Package cli holds what the groups of commands share: flags that become a node.Config or a client, answers as tables
// or JSON, progress bars, files, and exit codes. It has no product logic.
package cli
