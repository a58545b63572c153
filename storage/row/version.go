package row

// A Version is a generation of encodings: what all programs from some release on read. Processes of one deployment
// that are upgraded one after the other write the version that the oldest of them reads, and go on to the newest when all can.
//
// Each kind of value counts its own versions, and most values never changed: formats says what a generation has of those
// that did. A change of the bytes of an event, a message or a node's row adds a line to it.
type Version uint8

// Newest is the version that encoders write unless they are told another.
const Newest Version = 5

// formats are the versions of the kinds of values in a generation.
type formats struct {
	event    uint8 // and fragments
	message  uint8
	node     uint8
	settings uint8 // of the feed
}

var versions = [Newest + 1]formats{
	1: {event: 1, message: 1, node: 1, settings: 1},
	2: {event: 2, message: 2, node: 2, settings: 1},                                                     // offers, interests and visits
	3: {event: 2, message: 3, node: 2, settings: 1},                                                     // when an event passed a forward
	4: {event: 3, message: 4, node: 3, settings: 2},                                                     // context, aliases, several refunds
	5: {event: eventVersion, message: messageVersion, node: nodeVersion, settings: feedSettingsVersion}, // evidence without identities
}

// NewEncoderOf makes an encoder that writes a version, from 1 to Newest.
//
// What that version has no place for is left out, and Lossy then says so. What is new in a version may be used once
// every process reads it: until then nothing of it is there to be left out.
func NewEncoderOf(v Version) *Encoder { return &Encoder{out: output{version: versions[v]}} }

// Lossy reports whether an encoder of an older version left something out that decides who is who or what a profile holds,
// in anything that it encoded so far. Names for people to read, and when an event passed a forward, don't count: readers do
// without.
func (e *Encoder) Lossy() bool { return e.out.lossy }

// leave notes whether something was left out.
func (o *output) leave(out bool) { o.lossy = o.lossy || out }
