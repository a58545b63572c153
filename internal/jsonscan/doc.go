// Package jsonscan reads JSON by a cursor: one pass, no tree, no reflection, no allocation.
//
//	{"type":"track","context":{"page":{…}},"properties":{…}}
//	   ▲ Next, Key    ▲ Object      ▲ Value skips and checks   ▲ Value: Raw is the text as it stands
//
// A caller walks into the objects that it knows, picks fields by their keys, and takes every other
// value as a raw slice of the input. Whatever is not picked is still checked.
//
// Invariants:
//   - J1: an input is accepted exactly when encoding/json finds it valid, it is valid UTF-8, and it
//     nests at most MaxDepth deep.
//   - J2: a string unescapes to what encoding/json makes of it, with U+FFFD for NUL.
//   - J3: errors stick. After the first one every step says "no more", so loops end and the error
//     needs one look, at End.
//   - J4: what was handed out before End returned nil is not yet known to be valid UTF-8.
//   - J5: text that Mend passed has no escape of half a surrogate pair and none of NUL: it is the same for
//     strict readers and lenient ones.
package jsonscan
