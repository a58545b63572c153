package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// A dashboard for Grafana, made of metrics: a row a subsystem, and a panel a metric. The first row has what an operator looks
// at first.

type panel struct {
	ID          int            `json:"id"`
	Type        string         `json:"type"`
	Title       string         `json:"title"`
	Description string         `json:"description,omitempty"`
	Place       place          `json:"gridPos"`
	Datasource  map[string]any `json:"datasource,omitempty"`
	Targets     []target       `json:"targets,omitempty"`
	Fields      map[string]any `json:"fieldConfig,omitempty"`
}

type place struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

type target struct {
	Expr   string `json:"expr"`
	Legend string `json:"legendFormat"`
	Ref    string `json:"refId"`
}

// Sizes of panels, in the 24 columns of Grafana.
const (
	panelWidth  = 8
	panelHeight = 7
	columns     = 24
)

const selector = `{job=~"$job",instance=~"$instance"}`

// board places panels from left to right, and rows below each other.
type board struct {
	panels []panel
	x, y   int
}

func (b *board) row(title string) {
	if b.x > 0 {
		b.x, b.y = 0, b.y+panelHeight
	}
	b.panels = append(b.panels, panel{ID: len(b.panels) + 1, Type: "row", Title: title, Place: place{1, columns, 0, b.y}})
	b.y++
}

func (b *board) add(title, help, unit string, targets ...target) {
	for i := range targets {
		targets[i].Ref = string(rune('A' + i))
	}
	b.panels = append(b.panels, panel{
		ID: len(b.panels) + 1, Type: "timeseries", Title: title, Description: help, Place: place{panelHeight, panelWidth, b.x, b.y},
		Datasource: map[string]any{"type": "prometheus", "uid": "$datasource"}, Targets: targets,
		Fields: map[string]any{"defaults": map[string]any{"unit": unit}, "overrides": []any{}},
	})
	if b.x += panelWidth; b.x == columns {
		b.x, b.y = 0, b.y+panelHeight
	}
}

// dashboard makes the dashboard.
func dashboard(families []*dto.MetricFamily) []byte {
	var b board
	b.row("Headline")
	b.add("Event to profile", "Time from an event's arrival until look-ups find its profile with it.", "s", quantiles("kindred_event_to_profile_seconds", []string{"source"})...)
	b.add("Events", "Events a second from all inputs.", "ops", target{Expr: "sum by (result) (rate(kindred_events_total" + selector + "[$__rate_interval]))", Legend: "{{result}}"})
	b.add("Failed requests", "Answers of 500 and above, and 429, a second.", "ops",
		target{Expr: `sum by (status) (rate(kindred_http_requests_total{job=~"$job",instance=~"$instance",status=~"5..|429"}[$__rate_interval]))`, Legend: "{{status}}"})
	group := ""
	for _, f := range families {
		if of := subsystem(f.GetName()); of != group && !strings.HasSuffix(f.GetName(), "_info") {
			group = of
			b.row(strings.ToUpper(of[:1]) + of[1:])
		}
		b.metric(f)
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	variable := func(name, query string) map[string]any {
		return map[string]any{
			"name": name, "type": "query", "query": query, "refresh": 2, "includeAll": true, "multi": true,
			"datasource": map[string]any{"type": "prometheus", "uid": "$datasource"}, "current": map[string]any{"text": "All", "value": "$__all"},
		}
	}
	if err := e.Encode(map[string]any{
		"title": "Kindred", "uid": "kindred", "tags": []string{"kindred"}, "schemaVersion": 39, "editable": true, "refresh": "30s",
		"time": map[string]any{"from": "now-6h", "to": "now"}, "panels": b.panels,
		"templating": map[string]any{"list": []any{
			map[string]any{"name": "datasource", "type": "datasource", "query": "prometheus"},
			variable("job", "label_values(kindred_build_info, job)"), variable("instance", `label_values(kindred_build_info{job=~"$job"}, instance)`),
		}},
	}); err != nil {
		panic(err) // maps and texts
	}
	return out.Bytes()
}

// metric adds the panel of a metric, unless it is always 1.
func (b *board) metric(f *dto.MetricFamily) {
	name, by := f.GetName(), labelsOf(f)
	if strings.HasSuffix(name, "_info") {
		return
	}
	title := strings.TrimPrefix(name, "kindred_")
	legend := make([]string, len(by))
	for i, l := range by {
		legend[i] = "{{" + l + "}}"
	}
	text := strings.Join(legend, " ")
	switch f.GetType() {
	case dto.MetricType_COUNTER:
		b.add(title, f.GetHelp(), "ops", target{Expr: fmt.Sprintf("sum by (%s) (rate(%s%s[$__rate_interval]))", strings.Join(by, ", "), name, selector), Legend: text})
	case dto.MetricType_HISTOGRAM:
		b.add(title, f.GetHelp(), "s", quantiles(name, by)...)
	default:
		b.add(title, f.GetHelp(), unit(name), target{Expr: name + selector, Legend: strings.TrimSpace("{{instance}} " + text)})
	}
}

// quantiles are the median, the 95th and the 99th of a histogram.
func quantiles(name string, by []string) (list []target) {
	labels, legend := "le", ""
	for _, l := range by {
		labels += ", " + l
		legend += " {{" + l + "}}"
	}
	for _, q := range []string{"0.5", "0.95", "0.99"} {
		list = append(list, target{Expr: fmt.Sprintf("histogram_quantile(%s, sum by (%s) (rate(%s_bucket%s[$__rate_interval])))", q, labels, name, selector), Legend: q + legend})
	}
	return list
}

// subsystem is the part of a Kindred that a metric is about.
func subsystem(name string) string {
	word, _, _ := strings.Cut(strings.TrimPrefix(name, "kindred_"), "_")
	switch word {
	case "http", "ingest", "kafka", "publish", "score":
		return word
	}
	return "engine"
}

// unit is the unit that Grafana shows a gauge in.
func unit(name string) string {
	switch {
	case strings.HasSuffix(name, "_timestamp_seconds"):
		return "dateTimeAsIso"
	case strings.HasSuffix(name, "_seconds"):
		return "s"
	case strings.HasSuffix(name, "_bytes"):
		return "bytes"
	}
	return "short"
}
