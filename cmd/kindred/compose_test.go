package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

// The services of deploy/compose.cluster.yaml run commands that there are, with variables that set something, and the nodes differ
// in name, address, port and volume alone.
func TestComposeOfACluster(t *testing.T) {
	text, err := os.ReadFile("../../deploy/compose.cluster.yaml")
	if err != nil {
		t.Fatal(err)
	}
	type service struct {
		Image         string            `yaml:"image"`
		Command       []string          `yaml:"command"`
		Environment   map[string]string `yaml:"environment"`
		Ports         []string          `yaml:"ports"`
		Volumes       []string          `yaml:"volumes"`
		Configs       []string          `yaml:"configs"`
		StopGrace     string            `yaml:"stop_grace_period"`
		RestartPolicy string            `yaml:"restart"`
	}
	var file struct {
		Services map[string]service                  `yaml:"services"`
		Volumes  map[string]any                      `yaml:"volumes"`
		Configs  map[string]struct{ Content string } `yaml:"configs"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	names, brokers := map[string]bool{}, 0
	for name, s := range file.Services {
		for _, v := range s.Volumes {
			volume, _, _ := strings.Cut(v, ":")
			if _, ok := file.Volumes[volume]; !ok || names[volume] {
				t.Errorf("%s: volume %s is not there, or has two users", name, volume)
			}
			names[volume] = true
		}
		if s.Image != "kindred" {
			if s.Environment["KAFKA_ADVERTISED_LISTENERS"] != "PLAINTEXT://"+name+":9092" || !strings.Contains(s.Environment["KAFKA_CONTROLLER_QUORUM_VOTERS"], s.Environment["KAFKA_NODE_ID"]+"@"+name+":9093") {
				t.Errorf("%s: %v", name, s.Environment)
			}
			brokers++
			continue
		}
		cmd, args, err := newRoot().Find(s.Command)
		if err != nil || cmd.Name() != map[bool]string{true: "init", false: "serve"}[name == "init"] {
			t.Fatalf("%s runs %v: %v", name, s.Command, err)
		}
		if err := cmd.ParseFlags(args); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for variable, value := range s.Environment {
			set(t, name, cmd, variable, value)
		}
		if got := fmt.Sprint(s.Configs); got != "[secret]" || file.Configs["secret"].Content == "" || s.Environment["KINDRED_SECRET_FILE"] != "/secret" {
			t.Errorf("%s: no secret: %s", name, got)
		}
		if name == "init" {
			continue
		}
		if s.Environment["KINDRED_NODE"] != name || s.Environment["KINDRED_ADVERTISE"] != name || !strings.Contains(cmd.Flags().Lookup("join").Value.String(), name+":7946") {
			t.Errorf("node %s calls itself %v", name, s.Environment)
		}
		_, port, _ := strings.Cut(cmd.Flags().Lookup("listen").Value.String(), ":")
		if len(s.Ports) != 1 || !strings.HasPrefix(s.Ports[0], "127.0.0.1:") || !strings.HasSuffix(s.Ports[0], ":"+port) || names[s.Ports[0]] {
			t.Errorf("%s: ports %v", name, s.Ports)
		}
		names[s.Ports[0]] = true
		data := cmd.Flags().Lookup("data").Value.String()
		if len(s.Volumes) != 1 || !strings.HasSuffix(s.Volumes[0], ":"+data) {
			t.Errorf("%s keeps %s in %v", name, data, s.Volumes)
		}
		if s.RestartPolicy != "unless-stopped" || s.StopGrace != "3m" {
			t.Errorf("%s: restart %s, stops within %s", name, s.RestartPolicy, s.StopGrace)
		}
	}
	if len(file.Services) != 7 || brokers != 3 {
		t.Errorf("%d services, %d brokers", len(file.Services), brokers)
	}
}

// set sets what a variable of a service sets, and fails if it sets nothing.
func set(t *testing.T, service string, cmd *cobra.Command, variable, value string) {
	t.Helper()
	flag := cmd.Flags().Lookup(strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(variable, "KINDRED_"), "_", "-")))
	if flag == nil {
		t.Errorf("%s sets %s, which %s does not have", service, variable, cmd.Name())
	} else if err := flag.Value.Set(value); err != nil {
		t.Errorf("%s: %s=%s: %v", service, variable, value, err)
	}
}
