package cli

import (
	"cmp"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Setting is one setting of a command: its value in the form of a flag, and where the value came from.
type Setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Origin string `json:"origin"` // command line, environment VARIABLE, FILE:LINE, or default
	Reload bool   `json:"reload"` // a running server reads it again
}

// secretText stands for the value of a secret.
const secretText = "(secret, not shown)"

// Settings lists the settings of a command by name, after Settle. No secret is in the list: settings name files of
// secrets, and of a variable that holds one itself, only the name is shown.
func Settings(cmd *cobra.Command) []Setting {
	path := ""
	if f := cmd.Flags().Lookup(configFlag); f != nil {
		path = f.Value.String()
	}
	leaves := make(map[string]leaf) // of the section kafka, until a flag has taken them
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if s, ok := f.Value.(*kafkaSection); ok {
			for _, l := range s.leaves {
				leaves[l.key] = l
			}
		}
	})
	var list []Setting
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if annotation(f, envAnnotation) == "" {
			return
		}
		set := settingFrom(f)
		if l, ok := leaves[kafkaKeys[f.Name]]; ok {
			if delete(leaves, l.key); set.Origin == defaultOrigin {
				set.Value, set.Origin = l.text, fmt.Sprintf("%s:%d", path, l.line)
			}
		}
		if f.Name == passwordFlag && !f.Changed && os.Getenv(passwordVariable) != "" {
			set.Value, set.Origin = "", "overridden by "+passwordVariable
		}
		list = append(list, set)
	})
	for _, l := range leaves {
		list = append(list, Setting{Name: kafkaSectionName + "." + l.key, Value: l.text, Origin: fmt.Sprintf("%s:%d", path, l.line)})
	}
	for variable, flag := range secretVariables {
		if os.Getenv(variable) != "" && cmd.Flags().Lookup(flag) != nil {
			list = append(list, Setting{Name: settingName(variable), Value: secretText, Origin: "environment " + variable})
		}
	}
	slices.SortFunc(list, func(a, b Setting) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// defaultOrigin is the origin of a value that nobody set.
const defaultOrigin = "default"

// settingFrom describes a flag.
func settingFrom(f *pflag.Flag) Setting {
	set := Setting{Name: f.Name, Value: f.Value.String(), Origin: defaultOrigin, Reload: annotation(f, reloadAnnotation) != ""}
	if list, ok := f.Value.(pflag.SliceValue); ok {
		set.Value = fmt.Sprintf("%q", list.GetSlice())
		if len(list.GetSlice()) == 0 {
			set.Value = ""
		}
	}
	switch origin := annotation(f, originAnnotation); {
	case f.Changed:
		set.Origin = "command line"
	case origin != "":
		set.Origin = origin
	}
	return set
}
