package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/node"
)

// Exit codes are part of the command-line interface, so they must not change.
const (
	exitOK       = 0
	ExitFailure  = 1
	ExitUsage    = 2
	ExitNotFound = 3
	ExitRefused  = 4 // by a limit, a rule or a precondition
	ExitPartial  = 5 // done, except for some of the input
)

// exitError is an error with the exit code that it ends the process with.
type exitError struct {
	code int
	err  error // nil if the command already reported the problem
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// UsageError reports a command line that cannot be carried out.
func UsageError(format string, args ...any) error {
	return Exit(ExitUsage, fmt.Errorf(format, args...))
}

// Exit gives an error the exit code that the process ends with.
func Exit(code int, err error) error { return &exitError{code, err} }

// Silently ends the process with a code and no message, for a command that already reported the problem.
func Silently(code int) error { return &exitError{code: code} }

// ExitCode returns the code with which an error ends the process.
func ExitCode(err error) int {
	var coded *exitError
	var wrong *node.ConfigError
	var problem *client.Problem
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &wrong):
		return ExitUsage
	case errors.As(err, &problem):
		return problemCode(problem)
	// Cobra has no error type for an unknown command.
	case strings.HasPrefix(err.Error(), "unknown command"):
		return ExitUsage
	}
	return ExitFailure
}

// problemCode maps the HTTP status of an answer to an exit code.
func problemCode(p *client.Problem) int {
	switch {
	case p.Status == 404:
		return ExitNotFound
	case p.Status == 400 || p.Status == 422:
		return ExitUsage
	case p.Status >= 400 && p.Status < 500:
		return ExitRefused
	}
	return ExitFailure
}

// Report prints an error for people.
func Report(w io.Writer, err error) {
	var coded *exitError
	if errors.As(err, &coded) && coded.err == nil {
		return
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	text := strings.TrimSpace(err.Error())
	fmt.Fprintf(w, "kindred: %s\n", strings.ReplaceAll(text, "\n", "\n  "))
	var wrong *node.ConfigError
	if ExitCode(err) == ExitUsage && (coded != nil || errors.As(err, &wrong)) {
		fmt.Fprintln(w, "  see: kindred --help, or kindred COMMAND --help")
	}
}
