// Package jsonscan reads JSON by a cursor: one pass, no tree, no reflection, no allocation.
//
//	{"type":"track","context":{"page":{…}},"properties":{…}}
//	   ▲ Next, Key    ▲ Object      ▲ Value skips and checks   ▲ Value: Raw is the original text
//
// A caller steps into the objects that it knows, picks fields by their keys, and takes every other value as a raw
// slice of the input. Skipped values are checked, too.
//
// Invariants:
//   - J1: an input is accepted exactly if encoding/json finds it valid, it is valid UTF-8, and it nests at most
//     MaxDepth deep.
//   - J2: a string unescapes to the same text as in encoding/json, except that NUL becomes U+FFFD.
//   - J3: the first error stays. After it every step returns false, so loops end and the caller checks once, at End.
//   - J4: results returned before End returned nil may be invalid UTF-8.
//   - J5: text returned by Mend has no escapes of half a surrogate pair or NUL, so strict and lenient readers agree
//     on it.
package jsonscan
