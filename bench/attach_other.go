//go:build !linux

package bench

import "os/exec"

// attach has no effect on this system: if this process is killed, those that it started stay.
func attach(*exec.Cmd) {}
