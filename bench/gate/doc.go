// Gate compares the layers of package bench/layer at two commits, and fails if the change made one slower or let it allocate.
//
//	git worktree of the base ──┐  the change's benchmarks
//	                           ├─ go test -c ──► base, change
//	working tree: the change ──┘                    │
//	            pass 1, every layer: base change change base, -rounds times ──► suspects
//	            pass 2, suspects only: the same, -again times               ──► verdicts
//
// Rules:
//   - B1: both programs run the benchmarks of the change, so that they do the same work. If these do not build against the
//     base, the base runs its own, and only layers that both have are compared. A layer of the change alone is new.
//   - B2: the sides take turns in one process a sample, and each round is the mirror of itself, so that a machine that gets
//     slower or faster meanwhile slows both. All samples of a layer have the same number of operations: that many set off as
//     many flushes and collections.
//   - B3: time is compared as processor time and on the clock. A layer is slower if its median is more than a tenth above the
//     base's, and the Mann-Whitney U test tells the two apart: p below 0.2 makes a suspect, and p below 0.01 in pass 2, which
//     has samples of its own, a failure.
//   - B4: a layer that allocated nothing fails if every sample of the change allocates. A layer that allocated fails as by B3.
//   - B5: there is always a verdict. Without a base it is a failure that says how to get one, unless the change is the
//     first commit.
package main
