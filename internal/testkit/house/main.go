// House measures the structure of the source, so that it can be seen whether the code stays easy to enter: how many
// files one event and one read pass, how large types and functions are, how much is commented, which names are
// exported without a reader, and who imports the engines below us.
//
//	go run ./internal/testkit/house              # everything, about a minute: it builds and runs the server
//	go run ./internal/testkit/house -walk=false  # only what can be read from the source
//
// Every figure is counted by this program; docs/architecture.md says what the project aims at.
package main

import (
	"flag"
	"fmt"
	"os"
	"text/tabwriter"
)

func main() {
	walk := flag.Bool("walk", true, "run the server and count the files that one event and one read enter")
	detail := flag.Bool("detail", false, "list what each figure counts")
	flag.Parse()
	if err := run(*walk, *detail); err != nil {
		fmt.Fprintln(os.Stderr, "house:", err)
		os.Exit(1)
	}
}

// A figure is one line of the table, with what it counted.
type figure struct {
	name, value, aim string
	detail           []string
}

func run(walk, detail bool) error {
	s, err := load()
	if err != nil {
		return err
	}
	var figures []figure
	if walk {
		walked, err := walks()
		if err != nil {
			return err
		}
		figures = append(figures, walked...)
	}
	figures = append(figures, s.types()...)
	figures = append(figures, s.functions())
	figures = append(figures, s.comments())
	figures = append(figures, s.exports())
	figures = append(figures, s.importers())
	figures = append(figures, s.mutants())
	arrows, err := arrows()
	if err != nil {
		return err
	}
	figures = append(figures, arrows, s.phrases())
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "what\tnow\taim")
	for _, f := range figures {
		fmt.Fprintf(table, "%s\t%s\t%s\n", f.name, f.value, f.aim)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if detail {
		for _, f := range figures {
			fmt.Printf("\n%s\n", f.name)
			for _, line := range f.detail {
				fmt.Println("  " + line)
			}
		}
	}
	return nil
}
