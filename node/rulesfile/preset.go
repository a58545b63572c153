package rulesfile

import (
	"embed"
	"fmt"
	"path"
	"strings"
)

//go:embed presets/*.yaml
var presets embed.FS

// Presets are the names of the presets, sorted.
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

// preset reads a preset. REQUIRES: name is one of Presets.
func preset(name string) *File {
	content, err := PresetText(name)
	if err != nil {
		panic(err) // a bug: the caller has asked
	}
	f, err := Parse(name, content)
	if err != nil {
		panic(err) // a bug: presets are part of the program
	}
	return f
}

// PresetText is the YAML of a preset, with its comments: a beginning for a file of one's own.
func PresetText(name string) ([]byte, error) {
	content, err := presets.ReadFile(path.Join("presets", name+".yaml"))
	if err != nil {
		return nil, fmt.Errorf("unknown preset %q; presets are %s", name, presetList())
	}
	return content, nil
}
