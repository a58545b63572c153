// Package mutant breaks rules of the protocol on purpose, one at a time, so that the tests can show
// that they would notice. A hook stands at the line that keeps the rule:
//
//	if mutant.Is("join-stays") {
//		return nil
//	}
//
// In ordinary builds Is is false for the compiler already, and the hook is no code at all. With the
// build tag mutant a test selects which rule is broken.
package mutant
