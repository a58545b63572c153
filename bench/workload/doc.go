// Package workload makes the streams of events that the engine and its peers are measured with. Each is a function of its
// name, its seed and its number of events; kindred's harness prints the shape of each, measured and not declared.
//
//	            per million events, with seed 1 (ceiling.ShapeOf)
//	workload    identifiers   people   merges  bytes  asks
//	web             203,000  158,000    2,800    574  the usual case: visitors who mostly stay anonymous
//	retail          224,000   75,000   12,500    647  the usual case of a shop: logins, devices, orders, money
//	merge-storm     403,000    3,200  198,000    626  histories joined by every fifth event, in chains, stars, bursts, halves
//	hot-key         199,000   99,000        0    595  contention: half of the events go to 1 % of the people
//	cold            490,000  245,000        0    598  identities that memory does not hold: four events each, at random
//	poison          200,000    5,100   65,000    610  a generic value: one address on 100,000 people, 30 % of the events
//	read-heavy      203,000  158,000    2,800    574  19 look-ups for every event of web
//
// Of every stream but merge-storm, 2 % of the lines come again, up to 5,000 lines later, and 5 % come late, by up to 1,000
// lines. Merge-storm has neither, so that every fifth event joins two histories.
//
// Under the preset open, the people of every workload but poison are the connected components of its identifiers, so that
// any resolver can be compared. Poison asks for the default rules; its people are the components without the address.
package workload
