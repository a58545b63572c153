package node

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kindred-id/kindred/ingest/record"
)

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
