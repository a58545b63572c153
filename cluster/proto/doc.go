// Package proto addresses shards and carries messages between nodes, with Proto.Actor's cluster and remote. No other package
// of a cluster knows that library.
//
//	Post, Ask ──► budget of the peer ──► remote ══ mutual TLS ══► guard ──► door of the shard ──► Handler
//	Get(identity) ──► lookup ──► shard ──► owner ──► address      provider ◄── Update(members)
//
// It may lose everything, and says nothing of order: channels between shards repeat what was not acknowledged, and a
// request is sent again after a second, and after two more. Decision 0063 has the measurements, and what of the library is not used.
//
// Invariants:
//   - T1: there is no connection without certificates of one authority and of one list of names, on both ends, unless
//     InsecureDev says so.
//   - T2: what arrives is checked before the library sees it: our three messages, to doors and answers of this node, from
//     members, with every index in range. Anything else ends the connection, and nothing else.
//   - T3: messages to a peer that wait to be sent have at most 16 MiB; what is above is dropped, and counted.
//   - T4: a member that left and returns is another one to the library, which blocks those that left for ever.
package proto

//go:generate go run gen.go
