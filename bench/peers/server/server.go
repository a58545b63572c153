// Package server starts the servers of peers, each on a private Unix socket in a private directory, and stops them by their
// process id. Nothing of them is left afterwards.
package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// ErrMissing is the class of errors of a server that is not installed.
var ErrMissing = errors.New("server is not installed; .ci/setup installs it on Debian and Ubuntu")

// Server is a running server. Stop it.
type Server struct {
	Socket  string // the Unix socket, or for PostgreSQL the directory that holds it
	Version string

	dir     string
	command *exec.Cmd
	stop    os.Signal
	log     string
}

const (
	startPatience = time.Minute
	stopPatience  = time.Minute
	startPoll     = 20 * time.Millisecond
)

// find returns the path of a program, from the path or from Debian's directories.
func find(program string, patterns ...string) (string, error) {
	for _, pattern := range patterns {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			slices.Sort(found)
			return found[len(found)-1], nil
		}
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return "", fmt.Errorf("%s: %w", program, ErrMissing)
	}
	return path, nil
}

// servants are the users that servers run as if this process is root, the first that exists.
var servants = []string{"postgres", "nobody"}

// credential returns as whom servers run: PostgreSQL refuses to run as root.
func credential() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range servants {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("no user of %v exists; run as another user than root", servants)
}

// newServer makes the directory of a server, owned by the user that it runs as.
func newServer(parent, name string) (*Server, *syscall.Credential, error) {
	as, err := credential()
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp(parent, "kindred-"+name+"-")
	if err != nil {
		return nil, nil, err
	}
	s := &Server{dir: dir, log: filepath.Join(dir, "log")}
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			return nil, nil, errors.Join(err, os.RemoveAll(dir))
		}
	}
	return s, as, nil
}

// start starts the server and waits until ready succeeds.
func (s *Server) start(ctx context.Context, command *exec.Cmd, as *syscall.Credential, ready func(context.Context) error) error {
	log, err := os.Create(s.log)
	if err != nil {
		return err
	}
	defer log.Close()
	command.Dir, command.Stdout, command.Stderr = s.dir, log, log
	command.SysProcAttr = &syscall.SysProcAttr{Credential: as, Setpgid: true} // an interrupt of ours is no interrupt of theirs
	if err := command.Start(); err != nil {
		return err
	}
	s.command = command
	deadline := time.Now().Add(startPatience)
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			said, _ := os.ReadFile(s.log)
			return fmt.Errorf("%s does not answer: %w; its log: %s", filepath.Base(command.Path), err, said)
		}
		time.Sleep(startPoll)
	}
}

// PID is the server's process id.
func (s *Server) PID() int { return s.command.Process.Pid }

// Stop stops the server and deletes its directory.
func (s *Server) Stop() error {
	var err error
	if s.command != nil {
		err = s.command.Process.Signal(s.stop)
		kill := time.AfterFunc(stopPatience, func() { _ = s.command.Process.Kill() })
		if waited := s.command.Wait(); err == nil && !exited(waited) {
			err = waited
		}
		kill.Stop()
		s.command = nil
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// exited reports whether a server ended as servers do that are asked to: with exit code 0, or by the signal.
func exited(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return err == nil
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() != syscall.SIGKILL
}

// DiskBytes is the size of the server's files.
func (s *Server) DiskBytes() (n int64) {
	_ = filepath.Walk(s.dir, func(_ string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			n += info.Size()
		}
		return nil
	})
	return n
}
