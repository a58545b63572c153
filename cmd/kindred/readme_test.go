package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestREADME runs the README's transcripts: each command after "$ " in the order of the page, in one directory, with
// the example's events in events.ndjson. The lines after a command are its output. In them, a line "…" matches any
// lines, and "…" within a line any text. Public ids depend on a deployment's secret, so each matches any other.
func TestREADME(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	bin := binary(t)
	dir := t.TempDir()
	ran := 0
	for _, block := range codeBlocks(string(text)) {
		if block.language == "json" {
			if err := os.WriteFile(filepath.Join(dir, "events.ndjson"), []byte(block.text), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		for _, step := range transcript(block.text) {
			command, ok := strings.CutPrefix(step.command, "bin/kindred ")
			if !ok {
				continue // the test has built it
			}
			ran++
			args := strings.Fields(command)
			if !strings.HasPrefix(step.output, "{") {
				args = append(args, "--output", "table") // as on a terminal
			}
			cmd := exec.Command(bin, args...)
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "NO_COLOR=1", "KINDRED_MEMORY=128M")
			var said strings.Builder
			cmd.Stdout, cmd.Stderr = &said, &said
			if err := cmd.Run(); err != nil {
				t.Fatalf("%s: %v\n%s", step.command, err, said.String())
			}
			if !printed(step.output).MatchString(anyID(said.String())) {
				t.Errorf("%s\nprinted\n%s\nbut the README says\n%s", step.command, said.String(), step.output)
			}
		}
	}
	if ran < 4 {
		t.Errorf("the README has %d commands to run: the transcripts were not found", ran)
	}
}

type codeBlock struct{ language, text string }

// codeBlocks returns the fenced blocks of a page.
func codeBlocks(page string) (blocks []codeBlock) {
	parts := strings.Split("\n"+page, "\n```")
	for i := 1; i < len(parts); i += 2 {
		language, text, _ := strings.Cut(parts[i], "\n")
		blocks = append(blocks, codeBlock{language, text + "\n"})
	}
	return blocks
}

type transcriptStep struct{ command, output string }

// transcript cuts a block into commands and their output.
func transcript(block string) (steps []transcriptStep) {
	for line := range strings.Lines(block) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			steps = append(steps, transcriptStep{command: strings.TrimSpace(command)})
		} else if len(steps) > 0 {
			steps[len(steps)-1].output += line
		}
	}
	return steps
}

// printed is the expression that the output must match. A transcript may end before the output does.
func printed(output string) *regexp.Regexp {
	var pattern strings.Builder
	pattern.WriteString("^")
	for line := range strings.Lines(anyID(output)) {
		if strings.TrimSpace(line) == "…" {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", `.*`))
	}
	return regexp.MustCompile(pattern.String())
}

var publicID = regexp.MustCompile(`\bk[0-9a-z]{26}\b`)

func anyID(text string) string { return publicID.ReplaceAllString(text, "<id>") }
