// Package cli holds what the groups of commands share: flags that turn into a node.Config or a client, answers as tables
// or JSON, progress, files, and the codes that a command ends with. It has no product logic.
package cli
