package rulesfile

import (
	"embed"
	"fmt"
	"path"
	"strings"
)

//go:embed presets/*.yaml
var presets embed.FS

// Presets returns the names of the presets, sorted.
func Presets() []string {
	entries, err := presets.ReadDir("presets")
	if err != nil {
		panic(err) // a bug: the folder is part of the program
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = strings.TrimSuffix(entry.Name(), ".yaml")
	}
	return names
}

func presetList() string { return strings.Join(Presets(), ", ") }

// preset reads a preset.
//
// REQUIRES: name is one of Presets
func preset(name string) *File {
	content, err := presetText(name)
	if err != nil {
		panic(err) // a bug: the caller has not checked the name
	}
	f, err := Parse(name, content)
	if err != nil {
		panic(err) // a bug: presets are part of the program
	}
	return f
}

// presetText returns the YAML of a preset, with its comments.
func presetText(name string) ([]byte, error) {
	content, err := presets.ReadFile(path.Join("presets", name+".yaml"))
	if err != nil {
		return nil, fmt.Errorf("unknown preset %q; presets are %s", name, presetList())
	}
	return content, nil
}
