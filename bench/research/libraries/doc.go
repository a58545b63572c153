// Package libraries compares hand-written parts of Kindred with libraries for the same purpose. Decision records 25 to 30
// have the figures and the decisions.
//
// It holds only benchmarks, in a separate module, since the program uses none of these libraries. Take the least of several
// runs, because other processes use the machine too:
//
//	cd bench/research && go test ./libraries -run '^$' -bench JSON -benchtime 20ms -count 10
package libraries
