package actors

// All tests of the engine run with buffers that are overwritten when they are given back, as the simulator's are.
func init() { poisonBuffers = true }
