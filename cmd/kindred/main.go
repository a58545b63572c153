// Command kindred keeps one live customer identity for every person a company deals with.
//
//	flags ─► command ─► embedded node ─────┐
//	            └────► HTTP ─► server ─────┴─► answer ─► table or JSON
//
// A command that asks or asserts something sends it to a running server. With --data it opens a directory itself and
// sends the same HTTP requests to a handler in its own process, so both share all code from the request onwards.
//
// Data goes to standard output, progress and notes to standard error. Exit codes: 0 done, 1 failure,
// 2 wrong usage, 3 not found, 4 refused, 5 done in part.
package main

import (
	"os"

	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
)

// version is set by the linker.
var version = "dev"

func main() {
	cli.Build = version
	os.Exit(execute(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
