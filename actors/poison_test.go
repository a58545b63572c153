package actors

// Under the race detector overwriting every buffer takes minutes; the detector sees a late reader by itself.
func init() { poisonBuffers = !raceEnabled }
