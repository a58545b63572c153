//go:build unix

package netcut

import (
	"os"
	"syscall"
)

// Process are the attributes of a process in a group.
func (g Group) Process() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(os.Geteuid()), Gid: uint32(g), NoSetGroups: true}}
}
