package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	pageFile   = regexp.MustCompile("(?m)^<!-- (file|output): (\\S+) -->\n```\\w*\n((?s:.*?)\n)```$")
	pageTables = []string{"map check", "get "} // commands whose output is a table, as on a terminal
)

// TestImport runs the transcripts of docs/import.md in one directory, with the page's files in it.
func TestImport(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "import.md"))
	if err != nil {
		t.Fatal(err)
	}
	bin, dir := binary(t), t.TempDir()
	outputs := make(map[string]string)
	for _, f := range pageFile.FindAllStringSubmatch(string(page), -1) {
		if f[1] == "output" {
			outputs[f[2]] = f[3]
		} else if err := os.WriteFile(filepath.Join(dir, f[2]), []byte(f[3]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ran := 0
	for _, block := range codeBlocks(string(page)) {
		for _, step := range transcript(block.text) {
			command, _ := strings.CutPrefix(step.command, "bin/kindred ")
			command, into, redirected := strings.Cut(command, " > ")
			args := strings.Fields(command)
			for _, table := range pageTables {
				if strings.HasPrefix(command, table) {
					args = append(args, "--output", "table")
				}
			}
			cmd := exec.Command(bin, args...)
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "NO_COLOR=1", "KINDRED_MEMORY=128M")
			var said strings.Builder
			cmd.Stdout, cmd.Stderr = &said, &said
			_ = cmd.Run() // the page shows failures, too
			ran++
			if redirected {
				if said.String() != outputs[into] {
					t.Errorf("%s\nprinted\n%s\nbut the page says\n%s", step.command, said.String(), outputs[into])
				}
				if err := os.WriteFile(filepath.Join(dir, into), []byte(said.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			} else if !printed(step.output).MatchString(anyID(said.String())) {
				t.Errorf("%s\nprinted\n%s\nbut the page says\n%s", step.command, said.String(), step.output)
			}
		}
	}
	if ran < 6 || len(outputs) == 0 {
		t.Errorf("the page has %d commands to run: the transcripts were not found", ran)
	}
	for _, mapping := range []string{"all.yaml", "several.yaml"} {
		if out, err := exec.Command(bin, "map", "check", filepath.Join(dir, mapping), os.DevNull).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", mapping, err, out)
		}
	}
}
