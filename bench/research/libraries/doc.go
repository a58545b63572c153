// Package libraries measures what Kindred does by hand beside libraries that do the same. Decision records 25 to 30 have
// the figures and say what was decided.
//
// It is all benchmarks, in a module of its own: the program needs none of these libraries. The least of several runs
// counts, since others use the machine, too:
//
//	cd bench/research && go test ./libraries -run xxx -bench JSON -benchtime 20ms -count 10
package libraries
