package kafkatest

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

//go:embed log4j2.yaml
var logging []byte

// node is one process of a cluster: broker and controller in one.
type node struct {
	id       int
	dir      string // settings, data and output
	jars     string
	detached bool // lives on when this process ends

	mu      sync.Mutex // guards the following
	process *os.Process
	ended   chan struct{} // closed once the process is gone
}

// newNode writes a node's settings and formats its storage.
func newNode(id int, dir, jars, clusterID string, settings []byte) (*node, error) {
	n := &node{id: id, dir: dir, jars: jars}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for name, text := range map[string][]byte{"server.properties": settings, "log4j2.yaml": logging} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return nil, err
		}
	}
	format := n.java("kafka.tools.StorageTool", "format", "--cluster-id", clusterID, "--config", "server.properties")
	if out, err := format.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("format the storage of node %d: %w\n%s", id, err, tail(out))
	}
	return n, nil
}

// java returns a command of Kafka in the node's directory. The heap is small, and the compiler favours a quick start.
func (n *node) java(class string, args ...string) *exec.Cmd {
	cmd := exec.Command("java", append([]string{
		"-Xmx512m", "-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Djava.awt.headless=true",
		"-Dlog4j2.configurationFile=log4j2.yaml", "-cp", n.jars, class,
	}, args...)...)
	cmd.Dir = n.dir
	return cmd
}

func (n *node) output() string { return filepath.Join(n.dir, "output.log") }

// start starts the process, and does not wait until it answers.
func (n *node) start() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process != nil {
		return fmt.Errorf("node %d runs already", n.id)
	}
	out, err := os.OpenFile(n.output(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	cmd := n.java("kafka.Kafka", "server.properties")
	cmd.Stdout, cmd.Stderr = out, out
	// One goroutine starts the process and waits for it: the kernel ties the death signal to the thread that started
	// the process (attach), and the goroutine keeps that thread until the process ends.
	started, ended := make(chan error), make(chan struct{})
	go func() {
		defer close(ended)
		defer out.Close()
		attach(cmd, n.detached)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start node %d: %w (it takes Java 17)", n.id, err)
	}
	n.process, n.ended = cmd.Process, ended
	return nil
}

// stopPatience is how long a node may take to end in order.
const stopPatience = 20 * time.Second

// signal sends a signal and waits until the process is gone; a node that does not run is left alone.
// After stopPatience it kills the process. mu is held meanwhile, so a start or a second signal waits for the end.
func (n *node) signal(s syscall.Signal) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil {
		return nil
	}
	if err := n.process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end node %d: %w", n.id, err)
	}
	select {
	case <-n.ended:
	case <-time.After(stopPatience):
		_ = n.process.Kill()
		<-n.ended
	}
	n.process = nil
	return nil
}

// gone reports an error with the last output of the process if it has ended by itself.
func (n *node) gone() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil {
		return nil
	}
	select {
	case <-n.ended:
		out, _ := os.ReadFile(n.output())
		return fmt.Errorf("node %d has ended:\n%s", n.id, tail(out))
	default:
		return nil
	}
}

// tail returns the end of a long text.
func tail(text []byte) []byte {
	const most = 4 << 10
	text = bytes.TrimSpace(text)
	if len(text) > most {
		text = text[len(text)-most:]
	}
	return text
}
