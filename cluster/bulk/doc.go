// Package bulk moves much data between nodes over HTTPS: copies of shards, exports, the feed. Messages have package proto.
//
//	Source.Open ──► Server: a snapshot that stays open ══ mutual TLS ══► Client.Copy ──► rows, in the order of keys
//
// A copy may break off and go on: its snapshot stays open for a while, and the client names the last key that it has. So
// all rows are of one moment, however often the connection breaks. Another snapshot, on another node, can go on after a key, too.
//
//	frame  number of key's bytes, key, number of value's bytes, value     numbers as unsigned varints
//	end    0, rows of this answer, crc32c of its frames (4 bytes)
//
// Invariants:
//   - U1: a stream without its end, or with another sum, is not a whole one: the client goes on after the last key.
//   - U2: snapshots that are open are bounded in number, and each closes itself when nobody asks for a while.
//   - U3: what all streams of a server send together keeps below its rate.
package bulk
