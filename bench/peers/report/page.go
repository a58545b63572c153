package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/kindred-id/kindred/bench"
	"github.com/kindred-id/kindred/bench/peers/harness"
)

// page writes RESULTS.md.
func page(r *harness.Report, pictures map[string][]byte) string {
	w := &writer{pictures: pictures}
	w.line("# Results of the benchmarks\n")
	w.line("Written by the harness; do not edit. [benchmarks](../docs/benchmarks.md) describes what is measured, and how.\n")
	m := r.Machine
	w.table([][]string{
		{"", ""},
		{"command", r.Command},
		{"commit", r.Commit},
		{"date", r.Date},
		{"machine", fmt.Sprintf("%s, %d processors, %s, %s, %s", m.Processor, m.Processors, m.Memory, m.System, m.Go)},
		{"a write of 4 KiB and its sync", fmt.Sprintf("%.0f µs", m.Sync)},
		{"load average before the run", m.Load},
		{"events of a stream, rounds, seed", fmt.Sprintf("%d, %d, %d", r.Config.Events, r.Config.Rounds, r.Config.Seed)},
		{"memory of the engine", fmt.Sprintf("%d MiB", r.Config.Memory>>20)},
	})
	if r.Failed != "" {
		w.line("\nThe run ended early, after the sections here: %s", r.Failed)
	}
	w.line("\nA figure is the median of the rounds, with the lowest and the highest. A ratio is taken within each round.")
	w.peers(r)
	w.engine(r)
	w.load(r)
	w.kafka(r)
	w.curves(r)
	w.scale(r)
	for _, name := range r.Missing {
		w.line("\nMissing, since it is not installed: %s.", name)
	}
	return w.String()
}

func (w *writer) peers(r *harness.Report) {
	if len(r.Peers) == 0 {
		return
	}
	w.heading("Beside peers")
	rows := [][]string{{"workload", "events", "bytes an event", "identifiers", "people", "merges", "duplicates", "late"}}
	for _, s := range r.Shapes {
		rows = append(rows, []string{
			s.Name, number(float64(s.Events), 0), number(s.BytesPerEvent, 0), number(float64(s.Identifiers), 0), number(float64(s.People), 0),
			number(float64(s.Merges), 0), number(float64(s.Duplicates), 0), number(float64(s.Late), 0),
		})
	}
	w.table(rows)
	w.line("")
	rows = [][]string{{
		"workload", "peer", "Kindred's rate ÷ its rate", "its CPU ÷ Kindred's", "events/s", "CPU µs/event", "bytes on disk/event", "checked",
	}}
	described := map[string]bool{}
	kinds := [][]string{{"peer", "version", "durable", "settings"}}
	for i := range r.Peers {
		p := &r.Peers[i]
		rows = append(rows, []string{
			p.Workload, p.Peer, with(p.Faster, 2), with(p.LessCPU, 2), with(p.Rate, 0), with(p.CPU, 2), with(p.Disk, 0), p.Checked,
		})
		if !described[p.Peer] {
			described[p.Peer] = true
			kinds = append(kinds, []string{p.Peer, p.Version, p.Durability, p.Settings})
		}
	}
	w.table(rows)
	w.line("\nCPU is that of all processes of the peer, client and server; allocations are in results.json.")
	w.line("A result was found equal to the engine's before its time counted.\n")
	w.table(kinds)
	for _, s := range r.Shapes {
		w.picture("peers-"+s.Name+".svg", "Throughput beside peers on "+s.Name)
	}
}

// goals are what rows of the engine are to reach, whether they do or not.
var goals = map[string]string{
	"retail":  "≥ 0.85, CPU ≤ 2.2, ≤ 2 allocations and ≤ 300 bytes",
	"process": "≥ 0.75, ≤ 300 bytes on disk",
	"lookups": "p99 < 1,000",
}

func (w *writer) engine(r *harness.Report) {
	rows := [][]string{{"measured", "beside", "ratio", "CPU ratio", "goal"}}
	for i := range r.Peers {
		if p := &r.Peers[i]; p.Peer == "ceiling" && i > 0 {
			e := &r.Peers[i-1]
			rows = append(rows, []string{
				fmt.Sprintf("engine on %s: %s allocations and %s bytes allocated an event", p.Workload, with(e.Allocs, 2), with(e.AllocBytes, 0)),
				"ceiling", with(p.Faster, 2), with(inverse(p.LessCPU), 2), goals[p.Workload],
			})
		}
	}
	if p := r.Process; p != nil {
		rows = append(rows, []string{
			fmt.Sprintf("bin/kindred ingest, whole process; %s bytes on disk an event after compaction", with(p.Disk, 0)), "ceiling",
			with(p.Ratio, 2), with(p.CPU, 2), goals["process"],
		})
	}
	if p := r.Pairs; p != nil {
		rows = append(rows, []string{
			fmt.Sprintf("merge of two identities; %s allocations", with(p.Allocs, 1)), "ceiling", with(p.Ratio, 2), with(p.CPURate, 2), "",
		})
	}
	for i := range r.Pressure {
		p := &r.Pressure[i]
		rows = append(rows, []string{p.Name + "; " + p.Details, p.Beside, with(p.Ratio, 2), with(inverse(p.CPU), 2), fmt.Sprintf("≥ %v", p.Goal)})
	}
	if p := r.Reads; p != nil {
		rows = append(rows, []string{"look-ups of read-heavy, 95 % of operations", "look-ups alone", with(p.Ratio, 2), "", ""})
	}
	if len(rows) > 1 {
		w.heading("The engine")
		w.table(rows)
		w.line("\nThe ratio is of events (or look-ups) a second; the CPU ratio is of processor time an event.")
	}
}

func inverse(s harness.Spread) harness.Spread {
	if s.Low == 0 {
		return harness.Spread{}
	}
	return harness.Spread{Median: 1 / s.Median, Low: 1 / s.High, High: 1 / s.Low}
}

func (w *writer) load(r *harness.Report) {
	if len(r.Load) == 0 {
		return
	}
	w.heading("Latency of look-ups under load")
	w.line("1,000 look-ups a second in an open loop, counted from when each was to begin, while events come in.")
	w.line("Where this process was not run in time to begin one, that is part of its latency, and stands in the last column.\n")
	base := r.Load[0].P99.Median
	rows := [][]string{{"part of the peak", "rate reached ÷ wanted", "p50 µs", "p99 µs", "p99.9 µs", "most µs", "p99 ÷ p99 without events", "begun late, p99 µs", "goal"}}
	for i := range r.Load {
		l, goal := &r.Load[i], ""
		if l.Part == 0.5 {
			goal = goals["lookups"]
		}
		rows = append(rows, []string{
			fmt.Sprintf("%.0f %%", l.Part*100), with(l.Reached, 2), with(l.Median, 0), with(l.P99, 0), with(l.P999, 0), with(l.Worst, 0),
			number(l.P99.Median/base, 2), with(l.Late, 0), goal,
		})
	}
	w.table(rows)
	w.picture("load.svg", "Latency of look-ups against load")
}

// liveGoal is the goal for p99 from Kafka's log to the profile, at half of the rate that was reached.
const liveGoal = "≤ 100"

func (w *writer) kafka(r *harness.Report) {
	k := r.Kafka
	if k == nil {
		return
	}
	w.heading("From Apache Kafka")
	w.line("Broker, producer and engine share the machine: %d events to %d partitions.", k.Events, k.Partitions)
	w.line("The ratio of rates is %.2f, that of processor time %.2f: from the broker, durable, beside from memory.\n", k.Ratio, k.CPURatio)
	w.table([][]string{
		{"measured", "events/s"},
		{"from memory", number(k.File, 0)},
		{"from the broker, durable", number(k.EndToEnd, 0)},
		{"reading the records alone", number(k.Fetch, 0)},
	})
	if len(k.Live) == 0 {
		return
	}
	w.line("\nHow long events take to a profile that shows them, at parts of that rate: medians of %d runs, in an open loop.\n", len(k.Live[0].Runs))
	rows := [][]string{{"part of the rate", "events/s, reached", "counted from", "p50 ms", "p99 ms", "p99.9 ms", "most ms", "goal for p99"}}
	for i := range k.Live {
		l := &k.Live[i]
		row := func(from, goal string, s *bench.LiveSpread) []string {
			return []string{
				fmt.Sprintf("%.0f %%", l.Part*100), with(l.Reached, 0), from, with(s.Median, 1), with(s.P99, 1), with(s.P999, 1), with(s.Worst, 1), goal,
			}
		}
		rows = append(rows, row("the append in the broker's log", liveGoal, &l.FromLog), row("the time at which it was to be sent", "", &l.FromSending))
	}
	w.table(rows)
	w.picture("kafka.svg", "Latency from Kafka's log to the profile against load")
}

func (w *writer) curves(r *harness.Report) {
	if len(r.Curves) == 0 {
		return
	}
	w.heading("What an event costs")
	rows := [][]string{{"against", "", "engine's CPU ÷ ceiling's", "engine's rate ÷ ceiling's", "CPU ÷ CPU of the first", "CPU µs/event"}}
	names := harness.PartNames()
	byPart := [][]string{append([]string{"CPU µs/event at", ""}, names...)}
	for i := range r.Curves {
		c := &r.Curves[i]
		for k := range c.Points {
			p := &c.Points[k]
			x := number(p.X, digits(p.X))
			rows = append(rows, []string{
				c.X, x, with(p.CPURate, 2), with(p.Ratio, 2), number(p.CPU.Median/c.Points[0].CPU.Median, 2), with(p.CPU, 2),
			})
			row := []string{c.X, x}
			for _, name := range names {
				row = append(row, number(p.Parts[name], 2))
			}
			byPart = append(byPart, row)
		}
	}
	w.table(rows)
	w.line("\nBy part of the program, from profiles of the engine, medians for each part:\n")
	w.table(byPart)
	for i := range r.Curves {
		c := &r.Curves[i]
		w.picture("curve-"+c.Name+".svg", "Processor time of an event against "+c.X)
		if len(c.Bends) == 0 {
			w.line("\nIt does not bend: no point costs a fifth more than the one before.")
		}
		for _, bend := range c.Bends {
			w.line("\n%s", wrapped(bend))
		}
	}
}

// wrapped breaks a sentence into lines of at most 118 columns, as the pages of the repository have them.
func wrapped(sentence string) string {
	const columns = 118
	var b strings.Builder
	at := 0
	for word := range strings.FieldsSeq(sentence) {
		n := utf8.RuneCountInString(word)
		switch {
		case at == 0:
		case at+1+n > columns:
			b.WriteByte('\n')
			at = 0
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}

func (w *writer) scale(r *harness.Report) {
	if len(r.Scale) == 0 {
		return
	}
	w.heading("Throughput and memory, by identities and cores")
	rows := [][]string{{"identities", "cores", "rate ÷ rate at the fewest", "events/s, whole process", "CPU µs/event", "most resident MiB"}}
	for i := range r.Scale {
		p := &r.Scale[i]
		rows = append(rows, []string{
			number(float64(p.Identities), 0), fmt.Sprint(p.Cores), with(p.Ratio, 2), with(p.Rate, 0), with(p.CPU, 2), number(p.Resident.Median/(1<<20), 0),
		})
	}
	w.table(rows)
	w.picture("scale-rate.svg", "Throughput against identities")
	w.picture("scale-memory.svg", "Memory against identities")
}

func digits(x float64) int {
	if x < 1 && x > 0 {
		return 2
	}
	return 0
}
