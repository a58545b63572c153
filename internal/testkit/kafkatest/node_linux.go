package kafkatest

import (
	"os/exec"
	"runtime"
	"syscall"
)

// attach lets the process end with this one (K2), or live on. The kernel ties the signal to the thread
// that starts the child, so the caller's goroutine keeps its thread for as long as it lives.
func attach(cmd *exec.Cmd, detached bool) {
	if detached {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return
	}
	runtime.LockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
