package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/internal/near"
	"github.com/kindred-id/kindred/internal/yamlfile"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A setting is a flag that WithEnv marked. It has one name in three places: --memory, KINDRED_MEMORY, and memory: in the
// configuration file. Each place wins over the next, and all win over the default:
//
//	command line ──► environment ──► configuration file ──► default
//
// Settle fills in a command's settings in this order, and notes on each flag where its value came from.

// Keys of the annotations of a flag.
const (
	envAnnotation     = "kindred_env"     // the flag's variable, from WithEnv
	originAnnotation  = "kindred_origin"  // where the value came from, if not from the command line
	reloadAnnotation  = "kindred_reload"  // the setting may change while a server runs, from Reloads
	sectionAnnotation = "kindred_section" // the section of the configuration file that the flag's value reads
)

// configFlag names the configuration file. It can't be a setting of that file itself.
const configFlag = "config"

// configBytesMax bounds a configuration file.
const configBytesMax = 1 << 20

// WithEnv makes settings of flags.
func WithEnv(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		f := flags.Lookup(name)
		variable := variableOf(name)
		annotate(f, envAnnotation, variable)
		f.Usage += " [" + variable + "]"
	}
}

// Reloads marks settings that a running server reads again.
func Reloads(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		annotate(flags.Lookup(name), reloadAnnotation, "true")
	}
}

// variableOf returns the environment variable of a setting.
func variableOf(name string) string {
	return "KINDRED_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

func annotate(f *pflag.Flag, key, value string) {
	if f.Annotations == nil {
		f.Annotations = make(map[string][]string)
	}
	f.Annotations[key] = []string{value}
}

func annotation(f *pflag.Flag, key string) string {
	if values := f.Annotations[key]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// AddConfig adds the flag that names the configuration file.
func AddConfig(cmd *cobra.Command) {
	cmd.Flags().String(configFlag, "", "configuration file in YAML: the names of flags with their values; flags and variables take precedence")
	WithEnv(cmd.Flags(), configFlag)
}

// Settle sets the settings that the command line did not set, from the environment and then from the configuration file.
// It runs after the command line was parsed, when Changed is known.
func Settle(cmd *cobra.Command) error {
	flags := cmd.Flags()
	if err := fromEnvironment(flags); err != nil {
		return err
	}
	f := flags.Lookup(configFlag)
	if f == nil || f.Value.String() == "" {
		return nil
	}
	path := f.Value.String()
	content, err := yamlfile.Read(path, configBytesMax)
	if err != nil {
		return UsageError("--%s: %w", configFlag, err)
	}
	if err := fromFile(cmd, path, content); err != nil {
		return Exit(ExitUsage, err)
	}
	return nil
}

// fromEnvironment sets settings from their variables. An empty variable counts as one that is not set, so a caller can
// switch it off. Flags are visited by name, and the first wrong value is the error: the same environment always gives
// the same message.
func fromEnvironment(flags *pflag.FlagSet) (err error) {
	flags.VisitAll(func(f *pflag.Flag) {
		variable := annotation(f, envAnnotation)
		if variable == "" || f.Changed || err != nil {
			return
		}
		if value := os.Getenv(variable); value != "" {
			if wrong := f.Value.Set(value); wrong != nil {
				err = UsageError("%s=%q: %w", variable, value, wrong)
			}
			annotate(f, originAnnotation, "environment "+variable)
		}
	})
	return err
}

// fromFile sets settings from the configuration file, and reports everything that is wrong with it at once, each with
// its line.
//
// The file belongs to a deployment, not to a command. So it may have every setting of every command that reads it, and
// a command leaves alone those that it does not have.
func fromFile(cmd *cobra.Command, path string, content []byte) error {
	d, root, err := yamlfile.Parse(path, configFlag, content)
	if err != nil || root == nil {
		return err
	}
	known := fileSettings(cmd.Root())
	for _, e := range d.Entries(root, configFlag) {
		switch reason, ok := known[e.Key]; {
		case !ok:
			d.Fail(e.Where, e.Key, "unknown setting%s", similar(e.Key, known))
		case reason != "":
			d.Fail(e.Where, e.Key, "%s", reason)
		default:
			if f := settingOf(cmd.Flags(), e.Key); f != nil {
				setFromFile(d, f, &e, path)
			}
		}
	}
	return d.Err()
}

// fileSettings returns the keys that a configuration file may have, each with an empty text, and those that belong
// elsewhere, with the reason.
func fileSettings(root *cobra.Command) map[string]string {
	known := make(map[string]string)
	for _, c := range root.Commands() {
		if c.Flags().Lookup(configFlag) == nil {
			continue
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			section := annotation(f, sectionAnnotation)
			switch {
			case annotation(f, envAnnotation) == "":
			case f.Name == configFlag:
				known[f.Name] = "a configuration file can't name another one"
			case section != "":
				known[section] = ""
				known[f.Name] = "write its content below " + section + ": in this file"
			case kafkaKeys[f.Name] != "":
				known[f.Name] = "write " + nested(kafkaSectionName+"."+kafkaKeys[f.Name]) + ", see docs/kafka.md"
			default:
				known[f.Name] = ""
			}
		})
	}
	for variable := range secretVariables {
		known[settingName(variable)] = "a secret does not belong in this file; set " + variable + ", or name a file that holds it"
	}
	return known
}

// nested writes a path of keys in YAML, as in kafka: {sasl: {user: …}}.
func nested(path string) string {
	keys := strings.Split(path, ".")
	return strings.Join(keys, ": {") + ": …" + strings.Repeat("}", len(keys)-1)
}

// settingName returns the setting that a variable would set.
func settingName(variable string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(variable, "KINDRED_"), "_", "-"))
}

// similar suggests known settings whose names are near a misspelt one.
func similar(key string, known map[string]string) string {
	var usable []string
	for name, why := range known {
		if why == "" {
			usable = append(usable, name)
		}
	}
	names := near.Names(key, usable)
	if len(names) == 0 {
		return "; kindred config show lists the settings"
	}
	return "; did you mean " + strings.Join(names, " or ") + "?"
}

// settingOf returns the flag that a key of the file sets, or nil.
func settingOf(flags *pflag.FlagSet, key string) (found *pflag.Flag) {
	flags.VisitAll(func(f *pflag.Flag) {
		if annotation(f, envAnnotation) != "" && (f.Name == key || annotation(f, sectionAnnotation) == key) {
			found = f
		}
	})
	return found
}

// A section is the value of a flag that the configuration file holds as a mapping.
type section interface {
	ReadYAML(d *yamlfile.Decoder, n *yamlfile.Node, key string)
}

// setFromFile sets a flag from an entry of the file, unless the command line or the environment has set it.
func setFromFile(d *yamlfile.Decoder, f *pflag.Flag, e *yamlfile.Entry, path string) {
	if yamlfile.IsNull(e.Node) {
		return
	}
	if s, ok := f.Value.(section); ok {
		s.ReadYAML(d, e.Node, e.Key)
		return
	}
	if f.Changed || annotation(f, originAnnotation) != "" {
		return
	}
	list, isList := f.Value.(pflag.SliceValue)
	var err error
	switch {
	case isList && yamlfile.IsList(e.Node):
		var texts []string
		for _, item := range d.Texts(e.Node, e.Key) {
			texts = append(texts, item.Key)
		}
		err = list.Replace(texts)
	case !yamlfile.IsScalar(e.Node):
		d.Fail(e.Node, e.Key, "want one value, got %s", yamlfile.Describe(e.Node))
		return
	default:
		if err = f.Value.Set(e.Node.Value); err != nil && wanted[f.Value.Type()] != "" {
			err = fmt.Errorf("want %s, got %s", wanted[f.Value.Type()], yamlfile.Describe(e.Node))
		}
	}
	if err != nil {
		d.Fail(e.Node, e.Key, "%w", err)
		return
	}
	annotate(f, originAnnotation, fmt.Sprintf("%s:%d", path, e.Where.Line))
}

// wanted says what a value of a type of pflag's own is, whose errors are those of package strconv.
var wanted = map[string]string{
	"bool": "true or false", "int": "a whole number", "float64": "a number", "duration": "a time, such as 24h or 30m",
}

// UnknownVariables lists KINDRED_ variables of the environment that set nothing.
func UnknownVariables(root *cobra.Command, environment []string) []string {
	known := make(map[string]bool)
	for variable := range secretVariables {
		known[variable] = true
	}
	var visit func(*cobra.Command)
	visit = func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) { known[annotation(f, envAnnotation)] = true })
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(root)
	var unknown []string
	for _, pair := range environment {
		variable, value, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(variable, "KINDRED_") && value != "" && !known[variable] {
			unknown = append(unknown, variable)
		}
	}
	slices.Sort(unknown)
	return unknown
}
