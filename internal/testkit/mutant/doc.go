// Package mutant breaks rules of the engine on purpose, one at a time, so that the simulator can show that it would notice.
//
// The sources of the engine know nothing of it. A mutant is an entry in mutants.txt, or in cluster.txt for the rules of several
// nodes: its name, what it breaks, and hunks that read like a diff.
//
//	no-resend: what was not acknowledged is not sent again
//	  if o.flown == 0 ||
//	- now-o.last < resend.Wait(o.resends).Milliseconds()
//	+ true
//
// "- " marks what the mutant removes, "+ " what it puts there, and two spaces the code around it, which only finds the
// place. A line with @@ begins another hunk of the same mutant. A blank line ends the entry, and # begins a comment.
//
//	both tables ──► read ──► apply(sources) ──► mutated copies ──► go test -overlay, one build
//	                           │                  a switch a hunk        └─ Select(name), run, next name
//	                           └─ in every test run: each hunk applies exactly once
//
// Rules:
//   - M1: a hunk matches exactly one place in the sources of graph, actors, storage and cluster, in whichever package and file.
//     So moving code costs nothing, and editing it fails a quick test that names the hunk and the nearest place.
//   - M2: hunks match token by token. Line breaks, indentation and comments do not count, and a line of a hunk may be
//     part of a line of code. The token … in the code around stands for any few tokens.
//   - M3: a hunk removes an expression and puts another one there, or removes whole statements, or inserts some. Both
//     expressions are evaluated, so neither may have an effect; neither may the removed statements declare a name.
//   - M4: all mutants are in one build, and at most one is switched on. Several may change the same place.
//
// The obvious design, a switch in the engine's own lines, forced every reader of the engine to read the mutants too. A patch
// per mutant would take sixty builds, and a patch names files and lines, which move.
package mutant
