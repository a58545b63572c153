package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/node"
	"github.com/kindred-id/kindred/storage"
)

// clusterCopy is a backup of a cluster, and what nodes had answered before it began.
type clusterCopy struct {
	dir    string
	before [][]byte
}

// backup lets a node write a backup while batches flow, and checks it as an operator does.
func (c *clusterTest) backup(t *testing.T, asked *clusterMember, load *clusterLoad) *clusterCopy {
	t.Helper()
	load.mu.Lock()
	copied := &clusterCopy{dir: filepath.Join(c.dir, "nightly"), before: slices.Clone(load.sent)}
	load.mu.Unlock()
	var made document.ClusterBackup
	eventually(t, "a backup is written", func() error { // shards may move for a while after a drain was undone
		out, err := exec.CommandContext(t.Context(), c.bin, "cluster", "backup", "nightly", "--url", "http://"+asked.listen, "--output", "json").Output()
		if err != nil {
			return err
		}
		return json.Unmarshal(out, &made)
	})
	if made.Nodes != len(c.members) || made.Shards != clusterShards || made.Rows == 0 || made.HeldSeconds <= 0 {
		t.Errorf("a backup says %+v", made)
	}
	t.Logf("a backup after %d batches: %d rows, %d bytes; events waited for %.3f s", len(copied.before), made.Rows, made.Bytes, made.HeldSeconds)
	c.refused(t, "a backup to a directory that has one", 4, "the directory is not empty", "cluster", "backup", "nightly", "--url", "http://"+asked.listen)
	kindred(t, c.bin, "verify", "--data", copied.dir)
	kindred(t, c.bin, "cluster", "init", "--cluster", c.name+"-again", "--journal-brokers", c.brokers, "--secret-file", c.secret, "--from", copied.dir)
	return copied
}

// again opens a backup in one process, which has all that was answered before, and is the same as others once all batches are sent to it.
func (b *clusterCopy) again(t *testing.T, sent [][]byte, want []byte) {
	t.Helper()
	one := openAlone(t, b.dir)
	to, err := client.New(one.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	accepted := func() uint64 {
		stats, err := to.Admin.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return stats.Events
	}
	send := func(batches [][]byte) {
		for _, body := range batches {
			if _, err := to.Events.Send(t.Context(), body, time.Minute); err != nil {
				t.Fatal(err)
			}
		}
	}
	had := accepted()
	if send(b.before); accepted() != had {
		t.Errorf("the backup has %d events, and lacks %d that were answered before it began", had, accepted()-had)
	}
	send(sent)
	if got := settledExport(t, one.URL()); !bytes.Equal(got, want) {
		t.Errorf("a backup to which all is sent again exports %d lines, want %d and the same", bytes.Count(got, []byte("\n")), bytes.Count(want, []byte("\n")))
	}
}

// openAlone opens a directory in one process, until the test ends.
func openAlone(t *testing.T, dir string) *node.Kindred {
	t.Helper()
	one, err := node.Open(t.Context(), node.Config{Dir: dir, Memory: storage.MinMemory, Listen: "127.0.0.1:0", MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := one.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return one
}

// reseeds deletes the journal of a cluster whose nodes have ended, and makes a directory of theirs, which has all people. One of a node
// that was removed before has old copies.
func (c *clusterTest) reseeds(t *testing.T, want []byte) {
	t.Helper()
	if _, err := kadm.NewClient(c.kafka.Client()).DeleteTopic(t.Context(), c.name+".journal"); err != nil {
		t.Fatal(err)
	}
	var from []string
	for _, m := range c.members {
		from = append(from, m.dir)
	}
	rescue := filepath.Join(c.dir, "rescue")
	t.Logf("%s", kindred(t, c.bin, "cluster", "reseed", rescue, "--from", strings.Join(from, ","), "--output", "table"))
	kindred(t, c.bin, "verify", "--data", rescue)
	if got := settledExport(t, openAlone(t, rescue).URL()); !bytes.Equal(got, want) {
		t.Errorf("the newest copies export %d lines, want %d and the same", bytes.Count(got, []byte("\n")), bytes.Count(want, []byte("\n")))
	}
	c.refused(t, "a directory of no node", 1, "is no directory of a node", "cluster", "reseed", filepath.Join(c.dir, "again"), "--from", rescue)
}
