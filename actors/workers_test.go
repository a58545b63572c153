package actors

import "testing"

// Workers are at rest when no turn runs or waits, a turn that schedules another one does not end the work, and the end is told
// to the committer that waits for it.
func TestWorkersRest(t *testing.T) {
	w := startWorkers(4)
	defer w.close()
	if !w.atRest() {
		t.Fatal("workers without turns are not at rest")
	}
	begun, end := make(chan struct{}), make(chan struct{})
	w.Schedule(func() {
		w.Schedule(func() {
			close(begun)
			<-end
		})
	})
	<-begun
	if w.atRest() {
		t.Error("workers with a turn are at rest")
	}
	close(end)
	for !w.atRest() {
		<-w.rest
	}
}
