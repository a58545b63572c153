// Command up starts a Kafka on loopback ports, for people: make kafka-up. It ends with make kafka-down.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kindred-id/kindred/internal/testkit/kafkatest"
)

func main() {
	dir := flag.String("dir", ".kafka/up", "directory of the nodes")
	nodes := flag.Int("nodes", 1, "1 or 3")
	down := flag.Bool("down", false, "stop what was started")
	flag.Parse()
	run := func() error { return up(*dir, *nodes) }
	if *down {
		run = func() error { return stop(*dir) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "kafka:", err)
		os.Exit(1)
	}
}

// startPatience is how long the nodes may take to answer.
const startPatience = time.Minute

func up(dir string, nodes int) error {
	if nodes != 1 && nodes != 3 {
		return fmt.Errorf("%d nodes: want 1 or 3", nodes)
	}
	if text, err := os.ReadFile(pidFile(dir)); err == nil && slices.ContainsFunc(strings.Fields(string(text)), runsKafka) {
		return fmt.Errorf("%s says that one runs already (stop it with: make kafka-down)", pidFile(dir))
	}
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	cluster, err := kafkatest.NewCluster(ctx, dir, nodes, true)
	if err != nil {
		return err
	}
	var pids strings.Builder
	for _, pid := range cluster.PIDs() {
		fmt.Fprintln(&pids, pid)
	}
	if err := os.WriteFile(pidFile(dir), []byte(pids.String()), 0o644); err != nil {
		return err
	}
	fmt.Println(strings.Join(cluster.Brokers(), ","))
	return nil
}

// runsKafka reports whether a process exists and runs Kafka. After a restart of the machine, its id may belong to another
// process. If the system does not show commands, runsKafka assumes that it does.
func runsKafka(pid string) bool {
	if _, err := os.Stat("/proc/self/cmdline"); err != nil {
		return true
	}
	command, err := os.ReadFile(filepath.Join("/proc", pid, "cmdline"))
	return err == nil && strings.Contains(string(command), "kafka.Kafka")
}

func pidFile(dir string) string { return filepath.Join(dir, "pids") }

// stop ends the processes whose ids up wrote down.
func stop(dir string) error {
	text, err := os.ReadFile(pidFile(dir))
	if err != nil {
		return fmt.Errorf("nothing was started: %w", err)
	}
	for line := range strings.FieldsSeq(string(text)) {
		if err := end(dir, line); err != nil {
			return err
		}
	}
	return os.Remove(pidFile(dir))
}

// end stops one process, unless its id belongs to another by now.
func end(dir, line string) error {
	var pid int
	if _, err := fmt.Sscan(line, &pid); err != nil {
		return fmt.Errorf("%s: %w", pidFile(dir), err)
	}
	if !runsKafka(line) {
		return nil
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	if err := process.Kill(); err != nil {
		fmt.Fprintf(os.Stderr, "kafka: process %d has ended already\n", pid)
	}
	return nil
}
