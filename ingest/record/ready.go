package record

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
)

// readyFiles are the ready-made mappings, a file each.
//
//go:embed ready/*.yaml
var readyFiles embed.FS

// ready holds the ready-made mappings, once one was asked for.
var ready struct {
	once sync.Once
	all  map[string]*Mapping
}

func readyMappings() map[string]*Mapping {
	ready.once.Do(func() {
		ready.all = make(map[string]*Mapping)
		for _, name := range ReadyNames() {
			text, err := ReadyText(name)
			if err != nil {
				panic(err) // it is one of the files
			}
			m, err := ParseMapping(name, text)
			if err != nil {
				panic(err) // a test reads all of them
			}
			m.Ready = name
			ready.all[name] = m
		}
	})
	return ready.all
}

// ReadyNames lists the ready-made mappings.
func ReadyNames() (names []string) {
	entries, err := fs.ReadDir(readyFiles, "ready")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

// ReadyText returns the file of a ready-made mapping.
func ReadyText(name string) ([]byte, error) {
	return readyFiles.ReadFile(path.Join("ready", name+".yaml"))
}

// FindReady returns a ready-made mapping; its error lists the names that there are.
func FindReady(name string) (*Mapping, error) {
	if m := readyMappings()[name]; m != nil {
		return m, nil
	}
	return nil, fmt.Errorf("mapping %q: no ready-made mapping has that name; want a file, or one of %s", name, strings.Join(ReadyNames(), ", "))
}

// FindMapping returns the ready-made mapping of a name, or the one in the file of that name.
func FindMapping(name string) (*Mapping, error) {
	if m := readyMappings()[name]; m != nil {
		return m, nil
	}
	m, err := ReadMapping(name)
	if errors.Is(err, os.ErrNotExist) && !strings.ContainsAny(name, "./\\") {
		return FindReady(name)
	}
	return m, err
}
