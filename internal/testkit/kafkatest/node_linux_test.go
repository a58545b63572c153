package kafkatest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// No node outlives its test, even where that is killed (K2). This test starts itself again as the one
// that is killed, with a process that sleeps in the place of a broker.
func TestNodesEndWithTheirTest(t *testing.T) {
	const role = "KAFKATEST_TO_BE_KILLED"
	if os.Getenv(role) != "" {
		started := make(chan int)
		go func() {
			node := exec.Command("sleep", "1000")
			attach(node, false)
			if err := node.Start(); err != nil {
				t.Error(err)
			}
			started <- node.Process.Pid
			_ = node.Wait()
		}()
		fmt.Println("pid", <-started)
		select {}
	}
	test := exec.Command(os.Args[0], "-test.run=^TestNodesEndWithTheirTest$")
	test.Env = append(os.Environ(), role+"=1")
	out, err := test.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := test.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "pid ")))
	if err != nil {
		t.Fatal(err)
	}
	if err := test.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = test.Wait()
	for deadline := time.Now().Add(30 * time.Second); running(pid); {
		if time.Now().After(deadline) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatal("the node lives on")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// running reports whether a process runs. A zombie, which no process has waited for, does not count.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}
