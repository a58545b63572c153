//go:build !linux

package kafkatest

import "os/exec"

// attach has no effect on this system: if a test is killed, its nodes stay.
func attach(*exec.Cmd, bool) {}
