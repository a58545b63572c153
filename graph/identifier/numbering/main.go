// Numbering writes the table by which graph/identifier reads telephone numbers, from the data of the phone library.
// Go generate runs it; it is no part of the product.
//
//	metadata ──► plan ──► machine ──► verdict ──► trie ──► numbering_table.go
//
// The library matches a number with expressions: what is dialled before it within the country, what is dialled before
// a country code, what numbers are like. A machine runs such an expression over all numbers at once that begin with
// the same digits. Where the library treats all those of n digits alike, that is the verdict on n digits after that
// beginning. Otherwise the table has no verdict, and the library is asked.
//
// Invariants:
//   - T1: a verdict holds for every number that it covers. A machine may find matches that no number has, which costs
//     a verdict. It never misses a match.
//   - T2: the table depends on the library's data alone: the same library makes the same file.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	out := flag.String("out", "", "`file` to write")
	flag.Parse()
	source, err := table()
	if err == nil {
		err = os.WriteFile(*out, source, 0o666)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "numbering:", err)
		os.Exit(1)
	}
}
