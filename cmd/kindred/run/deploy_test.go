package run

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

const deploy = "../../../deploy/"

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// parse fails for arguments that a command does not have.
func parse(t *testing.T, where string, cmd *cobra.Command, args []string) {
	t.Helper()
	if err := cmd.ParseFlags(args); err != nil {
		t.Errorf("%s: %v: %v", where, args, err)
	}
}

// The image builds from files that there are, runs without root, and its command line is one of serve.
func TestDockerfile(t *testing.T) {
	text := read(t, deploy+"Dockerfile")
	var base, user string
	args := map[string]bool{}
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\\\n", " "), "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "FROM":
			base = rest
		case "USER":
			user = rest
		case "ARG":
			for arg := range strings.FieldsSeq(rest) {
				name, _, _ := strings.Cut(arg, "=")
				args[name] = true
			}
		case "COPY":
			fields := strings.Fields(rest)
			for _, from := range fields[:len(fields)-1] {
				if strings.HasPrefix(rest, "--from") || strings.HasPrefix(from, "--") {
					continue
				}
				if _, err := os.Stat(filepath.Join("../../..", from)); err != nil {
					t.Errorf("COPY %s: %v", from, err)
				}
			}
		case "RUN":
			for _, name := range regexp.MustCompile(`\$([A-Z]+)`).FindAllStringSubmatch(rest, -1) {
				if !args[name[1]] {
					t.Errorf("RUN names %s, which is no ARG", name[1])
				}
			}
		case "ENTRYPOINT":
			var words []string
			if err := json.Unmarshal([]byte(rest), &words); err != nil || !strings.Contains(text, "/out/kindred "+words[0]+"\n") {
				t.Errorf("ENTRYPOINT %s is not what was copied: %v", rest, err)
			}
		case "CMD":
			var words []string
			if err := json.Unmarshal([]byte(rest), &words); err != nil || words[0] != "serve" {
				t.Fatalf("CMD %s: %v", rest, err)
			}
			parse(t, "Dockerfile", newServe(), words[1:])
		case "ENV":
			checkVariable(t, "Dockerfile", rest)
		}
	}
	if !strings.HasPrefix(base, "gcr.io/distroless/static") || !strings.HasSuffix(base, ":nonroot") || user != "65532:65532" {
		t.Errorf("the image is of %s and runs as %s", base, user)
	}
	if _, err := os.Stat("../../../cmd/kindred"); err != nil || !strings.Contains(text, " ./cmd/kindred ") {
		t.Errorf("the image builds something else: %v", err)
	}
	if want := "main.version="; !strings.Contains(text, want) || !strings.Contains(read(t, "../main.go"), "var version = ") {
		t.Error("the linker sets no version")
	}
}

// checkVariable fails for a variable that sets nothing.
func checkVariable(t *testing.T, where, assignment string) {
	t.Helper()
	name, _, _ := strings.Cut(assignment, "=")
	flag := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, "KINDRED_"), "_", "-"))
	if newServe().Flags().Lookup(flag) == nil {
		t.Errorf("%s sets %s, which serve does not have", where, name)
	}
}

// The unit tells systemd when it is ready, runs without rights, and its command lines are those of kindred.
func TestSystemdUnit(t *testing.T) {
	text := read(t, deploy+"systemd/kindred.service")
	commands := 0
	for line := range strings.SplitSeq(text, "\n") {
		key, value, _ := strings.Cut(strings.TrimPrefix(line, "#"), "=")
		words := strings.Fields(value)
		switch key {
		case "ExecStart":
			commands++
			parse(t, "ExecStart", newServe(), words[2:])
		case "ExecStartPre":
			commands++
			if words[1] != "config" || words[2] != "check" {
				t.Errorf("ExecStartPre=%s", value)
			}
			parse(t, "ExecStartPre", newConfigCheck(), words[3:])
		case "Environment":
			checkVariable(t, "the unit", value)
		}
	}
	if commands != 2 {
		t.Errorf("%d commands", commands)
	}
	for _, setting := range []string{
		"Type=notify", "DynamicUser=yes", "StateDirectory=kindred", "ProtectSystem=strict", "NoNewPrivileges=yes", "CapabilityBoundingSet=\n",
		"MemoryDenyWriteExecute=yes", "SystemCallFilter=@system-service", "SystemCallErrorNumber=EPERM", "PrivateDevices=yes", "ProtectHome=yes",
	} {
		if !strings.Contains(text, "\n"+setting) {
			t.Errorf("the unit lacks %s", setting)
		}
	}
}

// rendered renders a template of the chart as Helm does, with the few functions that the chart uses.
func rendered(t *testing.T, name string, change func(values map[string]any)) (list []map[string]any, err error) {
	t.Helper()
	chart := deploy + "helm/kindred/"
	var about, values map[string]any
	for path, into := range map[string]*map[string]any{"Chart.yaml": &about, "values.yaml": &values} {
		if err := yaml.Unmarshal([]byte(read(t, chart+path)), into); err != nil {
			t.Fatal(err)
		}
	}
	if change != nil {
		change(values)
	}
	toYAML := func(v any) (string, error) {
		text, err := yaml.Marshal(v)
		return strings.TrimSuffix(string(text), "\n"), err
	}
	page, err := template.New(name).Option("missingkey=error").Funcs(template.FuncMap{
		"toYaml": toYAML,
		"nindent": func(n int, s string) string {
			return "\n" + strings.Repeat(" ", n) + strings.ReplaceAll(s, "\n", "\n"+strings.Repeat(" ", n))
		},
		"quote":     func(v any) string { return fmt.Sprintf("%q", fmt.Sprint(v)) },
		"sha256sum": func(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) },
		"mul":       func(a, b int) int { return a * b },
		"div":       func(a, b int) int { return a / b },
		"default": func(otherwise, v any) any {
			if v == nil || v == "" {
				return otherwise
			}
			return v
		},
		"join":  func(between string, v any) string { return strings.Join(words(v), between) },
		"get":   func(m map[string]any, key string) any { return m[key] },
		"tuple": func(v ...any) []any { return v },
		"omit": func(m map[string]any, key string) map[string]any {
			m = maps.Clone(m)
			delete(m, key)
			return m
		},
		"required": func(why string, v any) (any, error) {
			if v == nil || v == "" {
				return nil, errors.New(why)
			}
			return v, nil
		},
	}).Parse(read(t, chart+"templates/"+name))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := page.Execute(&b, map[string]any{
		"Values": values, "Release": map[string]any{"Name": "k", "Namespace": "n"}, "Chart": map[string]any{"AppVersion": about["appVersion"]},
	}); err != nil || strings.HasSuffix(name, ".txt") {
		return nil, err
	}
	d := yaml.NewDecoder(&b)
	for {
		var one map[string]any
		if err := d.Decode(&one); err != nil {
			break
		}
		if one != nil {
			list = append(list, one)
		}
	}
	return list, nil
}

// render is a template that renders.
func render(t *testing.T, name string, change func(values map[string]any)) []map[string]any {
	t.Helper()
	list, err := rendered(t, name, change)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// words are the elements of a list of YAML as text.
func words(v any) (list []string) {
	for _, word := range v.([]any) {
		list = append(list, fmt.Sprint(word))
	}
	return list
}

// at follows a path of keys and indexes.
func at(t *testing.T, v any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok || m[step] == nil {
				t.Fatalf("no %v in %v", path, v)
			}
			v = m[step]
		case int:
			v = v.([]any)[step]
		}
	}
	return v
}

// inVolumes fails for a flag of a container's command whose path is in no volume.
func inVolumes(t *testing.T, container any, cmd *cobra.Command, flags ...string) {
	t.Helper()
	for _, flag := range flags {
		path := cmd.Flags().Lookup(flag).Value.String()
		if !slices.ContainsFunc(at(t, container, "volumeMounts").([]any), func(m any) bool { return strings.HasPrefix(path, at(t, m, "mountPath").(string)+"/") }) {
			t.Errorf("--%s %s is in no volume", flag, path)
		}
	}
}

// The chart renders to one pod whose command line, settings, probes and volumes fit together, without rights.
func TestHelmChart(t *testing.T) {
	set := render(t, "statefulset.yaml", func(v map[string]any) { v["kafkaPasswordSecret"], v["allowedHosts"] = "s", []any{"kindred.example"} })[0]
	if at(t, set, "spec", "replicas") != 1 {
		t.Error("a data directory has one process")
	}
	pod := at(t, set, "spec", "template", "spec")
	c := at(t, pod, "containers", 0)
	args := words(at(t, c, "args"))
	if args[0] != "serve" {
		t.Errorf("the pod runs %v", args)
	}
	serve := newServe()
	parse(t, "the chart", serve, args[1:])
	if hosts := serve.Flags().Lookup("allowed-hosts").Value.String(); hosts != "[k.n,*.n.svc,*.svc.cluster.local,kindred.example]" {
		t.Errorf("the server answers for %s", hosts)
	}
	inVolumes(t, c, serve, "data", "config")
	for _, e := range at(t, c, "env").([]any) {
		checkVariable(t, "the chart", fmt.Sprint(at(t, e, "name")))
	}
	for probe, path := range map[string]string{"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"} {
		if at(t, c, probe, "httpGet", "path") != path {
			t.Errorf("%s asks for another path", probe)
		}
	}
	if at(t, c, "resources", "limits", "memory") != "2457Mi" || at(t, c, "securityContext", "readOnlyRootFilesystem") != true ||
		at(t, pod, "securityContext", "runAsNonRoot") != true || at(t, c, "securityContext", "capabilities", "drop", 0) != "ALL" {
		t.Errorf("%v", c)
	}
	// The settings are those of serve.
	file := at(t, render(t, "configmap.yaml", nil)[0], "data", "kindred.yaml").(string)
	var settings map[string]any
	if err := yaml.Unmarshal([]byte(file), &settings); err != nil || len(settings) == 0 {
		t.Errorf("%v: %s", err, file)
	}
	for key := range settings {
		if key != "kafka" && serve.Flags().Lookup(key) == nil {
			t.Errorf("the chart sets %s, which serve does not have", key)
		}
	}
	if monitors := render(t, "servicemonitor.yaml", nil); len(monitors) > 0 {
		t.Error("a monitor that nobody asked for")
	}
	monitor := render(t, "servicemonitor.yaml", func(v map[string]any) { v["serviceMonitor"] = map[string]any{"enabled": true, "keySecret": "s"} })[0]
	if at(t, monitor, "spec", "endpoints", 0, "path") != "/metrics" {
		t.Errorf("%v", monitor)
	}
	service := render(t, "service.yaml", nil)[0]
	if fmt.Sprint(at(t, service, "spec", "selector")) != fmt.Sprint(at(t, set, "spec", "selector", "matchLabels")) {
		t.Error("the service selects other pods")
	}
	render(t, "NOTES.txt", nil)
}

// With a cluster, the chart renders to nodes that have a name and an address of their own, find one another by a service of all
// pods, and have what a node needs; without one of its values, it says which.
func TestHelmChartOfACluster(t *testing.T) {
	all := map[string]any{
		"enabled": true, "name": "", "nodes": 5, "journalBrokers": []any{"a:9092", "b:9092"}, "secret": "s", "certificate": "c", "certificateNames": []any{"nodes.k"},
	}
	cluster := func(v map[string]any) { v["cluster"] = all }
	set := render(t, "statefulset.yaml", cluster)[0]
	services := render(t, "service.yaml", cluster)
	if at(t, set, "spec", "replicas") != 5 || at(t, set, "spec", "podManagementPolicy") != "Parallel" {
		t.Errorf("%v", set)
	}
	nodes := services[1]
	if at(t, nodes, "metadata", "name") != at(t, set, "spec", "serviceName") || at(t, nodes, "spec", "clusterIP") != "None" || at(t, nodes, "spec", "publishNotReadyAddresses") != true {
		t.Errorf("nodes find one another by %v", nodes)
	}
	labels := fmt.Sprint(at(t, set, "spec", "selector", "matchLabels"))
	budget := render(t, "budget.yaml", cluster)[0]
	for _, one := range []any{at(t, nodes, "spec", "selector"), at(t, budget, "spec", "selector", "matchLabels")} {
		if fmt.Sprint(one) != labels {
			t.Errorf("%v selects other pods than %s", one, labels)
		}
	}
	pod := at(t, set, "spec", "template", "spec")
	c := at(t, pod, "containers", 0)
	serve := newServe()
	parse(t, "the chart", serve, words(at(t, c, "args"))[1:])
	for flag, want := range map[string]string{
		"cluster": "k", "node": "$(POD_NAME)", "advertise": "$(POD_IP)", "join": "[k-nodes.n.svc:7946]", "journal-brokers": "[a:9092,b:9092]", "node-tls-names": "[nodes.k]",
	} {
		if got := serve.Flags().Lookup(flag).Value.String(); got != want {
			t.Errorf("--%s %s, want %s", flag, got, want)
		}
	}
	inVolumes(t, c, serve, "data", "config", "secret-file", "gossip-key-file", "node-tls-cert", "node-tls-key", "node-tls-ca")
	given := map[string]bool{}
	for _, e := range at(t, c, "env").([]any) {
		given["$("+at(t, e, "name").(string)+")"] = true
	}
	for _, flag := range []string{"node", "advertise"} {
		if v := serve.Flags().Lookup(flag).Value.String(); !given[v] {
			t.Errorf("--%s %s: no such variable", flag, v)
		}
	}
	if file := at(t, render(t, "configmap.yaml", cluster)[0], "data", "kindred.yaml").(string); strings.Contains(file, "feed") {
		t.Errorf("a node of a cluster refuses a change feed: %s", file)
	}
	render(t, "NOTES.txt", cluster)
	if len(render(t, "budget.yaml", nil)) != 0 || len(render(t, "service.yaml", nil)) != 1 {
		t.Error("one node has what a cluster has")
	}
	for key, empty := range map[string]any{"journalBrokers": []any{}, "secret": "", "certificate": "", "certificateNames": []any{}} {
		_, err := rendered(t, "statefulset.yaml", func(v map[string]any) {
			lacks := maps.Clone(all)
			lacks[key] = empty
			v["cluster"] = lacks
		})
		if err == nil || !strings.Contains(err.Error(), "cluster."+key+": ") {
			t.Errorf("without cluster.%s: %v", key, err)
		}
	}
}
