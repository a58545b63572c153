package row

// A generation of encodings is one that all programs from some release on can read. During a rolling upgrade the
// processes of a deployment have to write the one that the oldest of them reads, and may switch to the newest when all
// can read it. A process writes the newest; the tests write the others and read them again.
//
// Each kind of value has its own versions, and most never changed: versions lists, for each generation, the version
// of each kind that did. A change of the bytes of an event, a message or a node's row adds a line to it.
//
// One version for all kinds would be simpler, and every row would then be of an old version after each release,
// although its bytes are the same.
type generation uint8

// newest is the generation that encoders write by default.
const newest generation = 8

// formats holds the versions of the kinds of values in one generation.
type formats struct {
	event    uint8 // and fragments
	message  uint8
	node     uint8
	settings uint8 // of the feed
}

var versions = [newest + 1]formats{
	1: {event: 1, message: 1, node: 1, settings: 1},
	2: {event: 2, message: 2, node: 2, settings: 1},                                                     // offers, interests and visits
	3: {event: 2, message: 3, node: 2, settings: 1},                                                     // when an event passed a forward
	4: {event: 3, message: 4, node: 3, settings: 2},                                                     // context, aliases, several refunds
	5: {event: 3, message: 5, node: 3, settings: 2},                                                     // evidence without identities
	6: {event: 4, message: 6, node: 4, settings: 2},                                                     // mentions
	7: {event: 5, message: 7, node: 5, settings: 2},                                                     // signals, groups
	8: {event: eventVersion, message: messageVersion, node: nodeVersion, settings: feedSettingsVersion}, // audiences with evidence
}

// newEncoderOf returns an encoder that writes a generation from 1 to newest.
//
// It omits values that the generation can't express, and Lossy then reports it. Features of a new version may be used
// only after every process can read it; until then it has nothing to omit.
func newEncoderOf(v generation) *Encoder { return &Encoder{out: writer{formats: versions[v]}} }

// Lossy reports whether an encoder of an older version omitted anything, since its creation, that decides who is who
// or that a profile holds. It ignores names for display, and when an event passed a forward: readers do without them.
func (e *Encoder) Lossy() bool { return e.out.lossy }
