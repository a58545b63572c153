package kafka

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// A topic that is made is fit, and each setting that makes a topic unfit is refused, by name, value and remedy.
func TestTopicIsChecked(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		w.open().Close()
		for _, test := range []struct{ setting, bad, good string }{
			{"cleanup.policy", "compact", "delete"},
			{"cleanup.policy", "compact,delete", "delete"},
			{"retention.ms", "604800000", "-1"},
			{"retention.bytes", "1073741824", "-1"},
			{"min.insync.replicas", "1", "2"},
			{"unclean.leader.election.enable", "true", "false"},
			{"max.message.bytes", "1048588", "2097152"},
		} {
			w.set(test.setting, test.bad)
			_, err := Open(t.Context(), w.config)
			if err == nil || !strings.Contains(err.Error(), test.setting+` is "`+test.bad+`"`) || !strings.Contains(err.Error(), "kafka-configs.sh") {
				t.Errorf("%s=%s: %v", test.setting, test.bad, err)
			}
			w.set(test.setting, test.good)
			w.open().Close()
		}
	})
}

func (w *world) set(setting, value string) {
	w.t.Helper()
	if _, err := w.admin.AlterTopicConfigs(w.t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: setting, Value: &value}}, w.config.Layout.Topic); err != nil {
		w.t.Fatal(err)
	}
}

// Another number of partitions or replicas, a missing topic, a second topic of the name, and a layout that cannot be are refused.
func TestTopicIsTheOne(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		for _, test := range []struct {
			change func(*Config)
			want   string
		}{
			{func(c *Config) { c.Layout.Partitions = 5 }, "has 3 partitions, want 5"},
			{func(c *Config) { c.Layout.Replicas = 4 }, "partition 0 has 3 replicas, want 4"},
			{func(c *Config) { c.Layout.Topic = "other.journal" }, "does not exist"},
			{func(c *Config) { c.Layout.Topic = "" }, "no topic"},
			{func(c *Config) { c.Layout.Partitions = 1 }, "1 partitions"},
			{func(c *Config) { c.Layout.Replicas = 0 }, "0 replicas"},
		} {
			c := w.config
			test.change(&c)
			if _, err := Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("want %q, got: %v", test.want, err)
			}
		}
		if _, err := Create(t.Context(), w.config.Connection, w.config.Layout); err == nil || !strings.Contains(err.Error(), "exists already") {
			t.Errorf("made twice: %v", err)
		}
	})
}

// W3: a topic that was deleted and made again is another one: for Open, for Verify, and for an append under way.
func TestTopicMadeAgain(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		l := w.open()
		defer l.Close()
		must(t, l, 0, "a")
		if _, err := w.admin.DeleteTopic(t.Context(), w.config.Layout.Topic); err != nil {
			t.Fatal(err)
		}
		if _, err := Create(t.Context(), w.config.Connection, w.config.Layout); err != nil {
			t.Fatal(err)
		}
		time.Sleep(leaderAge)
		var again *RecreatedError
		if _, err := Open(t.Context(), w.config); !errors.As(err, &again) || again.Want != w.config.ID {
			t.Errorf("Open: %v", err)
		}
		if err := l.Verify(t.Context()); !errors.As(err, &again) {
			t.Errorf("Verify: %v", err)
		}
		if a := <-start(l, 0, "b"); a.err == nil {
			t.Errorf("append to the new topic: offset %d", a.offset)
		}
	})
}
