package node

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/ingest/record"
)

// warnOfMapping logs what of a mapping nothing reads; place says where the mapping is set.
func (k *Kindred) warnOfMapping(place string, m *record.Mapping) {
	if m == nil || m.Ready != "" {
		return
	}
	var paths []string
	for _, p := range k.directory.rules.Paths {
		paths = append(paths, p.Path)
	}
	for _, warning := range m.Unread(paths...) {
		k.config.Logger.Warn("a mapping has a field that nothing reads", "mapping", place, "problem", warning)
	}
}

// warnOfMappings is warnOfMapping for those of the HTTP interface.
func (k *Kindred) warnOfMappings(all map[string]*record.Mapping) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		k.warnOfMapping("--map "+name, all[name])
	}
}

// readMappings reads mappings, NAME=FILE each.
func readMappings(list []string) (map[string]*record.Mapping, error) {
	all := make(map[string]*record.Mapping)
	var errs []error
	for _, item := range list {
		name, path, ok := strings.Cut(item, "=")
		switch {
		case !ok || name == "" || path == "" || strings.ContainsAny(name, "/ "):
			errs = append(errs, fmt.Errorf("--map %s: want NAME=FILE", item))
			continue
		case all[name] != nil:
			errs = append(errs, fmt.Errorf("--map %s: the name is given twice", name))
			continue
		}
		m, err := record.ReadMapping(path)
		if err != nil {
			errs = append(errs, fmt.Errorf("--map %s: %w", name, err))
			continue
		}
		all[name] = m
	}
	return all, errors.Join(errs...)
}
