package record

import (
	"encoding/json"
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// UnmarshalYAML reads a mapping as a configuration file has it: targets with a path, {from, unit}, or {value}.
func (m *Mapping) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: a mapping is fields of an event with paths, as in userId: customer.id", n.Line)
	}
	var fields []Field
	var errs []error
	for i := 0; i+1 < len(n.Content); i += 2 {
		f, err := fieldOf(n.Content[i].Value, n.Content[i+1])
		if err != nil {
			errs = append(errs, fmt.Errorf("line %d: field %q: %w", n.Content[i].Line, n.Content[i].Value, err))
			continue
		}
		fields = append(fields, f)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	made, err := NewMapping(fields)
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	*m = *made
	return nil
}

func fieldOf(target string, n *yaml.Node) (Field, error) {
	f := Field{Target: target}
	if n.Kind == yaml.ScalarNode {
		f.From = n.Value
		return f, nil
	}
	if n.Kind != yaml.MappingNode {
		return f, errors.New("want a path, {from: a path, unit: …} or {value: a constant}")
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		value := n.Content[i+1]
		if value.Kind != yaml.ScalarNode {
			return f, fmt.Errorf("%s: want one value", n.Content[i].Value)
		}
		switch key := n.Content[i].Value; key {
		case "from":
			f.From = value.Value
		case "unit":
			f.Unit = Unit(value.Value)
		case "value":
			var constant any
			if err := value.Decode(&constant); err != nil {
				return f, err
			}
			text, err := json.Marshal(constant)
			if err != nil {
				return f, fmt.Errorf("value: %w", err)
			}
			f.Value = string(text)
		default:
			return f, fmt.Errorf("%q is none of from, unit, value", key)
		}
	}
	return f, nil
}
