package mutant

// overlaid reports whether this build has the mutated sources. Their overlay replaces this file.
const overlaid = false
