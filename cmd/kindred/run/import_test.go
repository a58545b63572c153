package run_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/cmd/kindred/ask"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/cmd/kindred/run"
	"github.com/spf13/cobra"
)

var (
	pageFile    = regexp.MustCompile("(?m)^<!-- (file|output): (\\S+) -->\n```\\w*\n((?s:.*?)\n)```$")
	pageConsole = regexp.MustCompile("(?m)^```console\n((?s:.*?)\n)```$")
	publicID    = regexp.MustCompile(`\bk[0-9a-z]{26}\b`)
)

// TestImport runs the transcripts of docs/import.md in one directory, with the page's files in it: "$ " begins a command,
// and its output follows. In that, a line "…" stands for any lines, "…" within a line for any text, and <id> for a public
// id; an output may end early.
func TestImport(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "import.md"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	t.Setenv("KINDRED_MEMORY", "128M")
	outputs := make(map[string]string)
	for _, f := range pageFile.FindAllStringSubmatch(string(page), -1) {
		if f[1] == "output" {
			outputs[f[2]] = f[3]
		} else if err := os.WriteFile(f[2], []byte(f[3]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ran := 0
	for _, block := range pageConsole.FindAllStringSubmatch(string(page), -1) {
		for _, step := range strings.Split("\n"+block[1], "\n$ ")[1:] {
			command, want, _ := strings.Cut(step, "\n")
			command, into, redirected := strings.Cut(command, " > ")
			said := execute(strings.TrimPrefix(command, "bin/kindred "))
			if ran++; redirected {
				want = outputs[into]
				if err := os.WriteFile(into, []byte(said), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if !printed(want).MatchString(said) {
				t.Errorf("%s\nprinted\n%s\nbut the page says\n%s", command, said, want)
			}
		}
	}
	if ran < 6 || len(outputs) == 0 {
		t.Errorf("the page has %d commands to run: the transcripts were not found", ran)
	}
	for _, mapping := range []string{"all.yaml", "several.yaml"} {
		if said := execute("map check " + mapping + " " + os.DevNull); !strings.Contains(said, "nothing was ingested") {
			t.Errorf("%s: %s", mapping, said)
		}
	}
}

// execute runs a command as the program does, with tables as on a terminal.
func execute(command string) string {
	var said bytes.Buffer
	root := &cobra.Command{Use: "kindred", SilenceErrors: true, SilenceUsage: true}
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return cli.Settle(cmd) }
	root.AddCommand(run.Commands()...)
	root.AddCommand(ask.Commands()...)
	args := strings.Fields(command)
	if strings.HasPrefix(command, "map check ") || strings.HasPrefix(command, "get ") {
		args = append(args, "--output", "table")
	}
	root.SetArgs(args)
	root.SetOut(&said)
	root.SetErr(&said)
	if err := root.Execute(); err != nil {
		cli.Report(&said, err)
	}
	return publicID.ReplaceAllString(said.String(), "<id>")
}

// printed is the expression that an output must match.
func printed(output string) *regexp.Regexp {
	var pattern strings.Builder
	pattern.WriteString("^")
	for line := range strings.Lines(output) {
		if strings.TrimSpace(line) == "…" {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", `.*`))
	}
	return regexp.MustCompile(pattern.String())
}
