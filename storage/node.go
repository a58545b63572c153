package storage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// nodeFile names the node of a cluster that a data directory belongs to. One without it belongs to a deployment in one process.
const nodeFile = "NODE"

// checkNode returns an error unless a complete directory belongs to a node; "" stands for none.
//
// A row of a node's directory is written only after the journal has it. Anybody who opened the directory alone would write past
// the journal, and its copies would no longer be those of the other nodes.
func checkNode(fsys vfs.FS, dir, node string) error {
	is, err := readNode(fsys, dir)
	if err != nil || is == node {
		return err
	}
	e := &Error{Class: ErrMismatch, Op: "open", Path: dir}
	switch {
	case node == "":
		e.Err, e.Remedy = fmt.Errorf("it belongs to %s", is), "ask the node over HTTP, or open the directory with kindred serve --cluster"
	case is == "":
		e.Err, e.Remedy = errors.New("it belongs to a deployment in one process"), "give the node an empty directory: it fills it from the journal"
	default:
		e.Err, e.Remedy = fmt.Errorf("it belongs to %s, and %s is asked for", is, node), "give each node a directory of its own, or an empty one"
	}
	return e
}

// NodeOf returns the node of a cluster that a data directory belongs to, in the words of Options.Node; "" for any other directory. It
// fails with class ErrIO.
func NodeOf(dir string) (string, error) { return readNode(vfs.Default, dir) }

// readNode returns the node that a directory belongs to; "" if it belongs to none.
func readNode(fsys vfs.FS, dir string) (string, error) {
	path := fsys.PathJoin(dir, nodeFile)
	f, err := fsys.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", &Error{Class: ErrIO, Op: "open", Path: path, Err: err}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 1024))
	if err != nil {
		return "", &Error{Class: ErrIO, Op: "open", Path: path, Err: err}
	}
	return strings.TrimSpace(string(text)), nil
}

// writeNode makes a directory that is not complete yet belong to a node.
func writeNode(fsys vfs.FS, dir, node string) error {
	if node == "" {
		return nil
	}
	return writeFile(fsys, fsys.PathJoin(dir, nodeFile), node+"\n")
}
