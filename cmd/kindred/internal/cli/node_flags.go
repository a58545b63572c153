package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strconv"

	"github.com/kindred-id/kindred/internal/redact"
	"github.com/kindred-id/kindred/node"
	"github.com/kindred-id/kindred/storage"
	"github.com/spf13/cobra"
)

// NodeFlags are the flags of commands that run a Kindred in their own process.
type NodeFlags struct {
	Config    node.Config
	Memory    ByteSize
	logFormat string
	logLevel  slog.LevelVar
}

// AddNode adds the flags that select and configure a data directory.
func AddNode(cmd *cobra.Command) *NodeFlags {
	f := &NodeFlags{}
	flags := cmd.Flags()
	flags.StringVar(&f.Config.Dir, "data", "", "data directory; created if it does not exist")
	flags.StringVar(&f.Config.Rules, "rules", "", "rules: a preset or a file (default: the rules last used; in a new directory, the preset default)")
	flags.Var(&f.Memory, "memory", "memory limit of the process, at least 128 MiB (default: half of the machine's memory, at most 8 GiB)")
	flags.IntVar(&f.Config.Shards, "shards", 0, "number of shards, 1 to 65536, fixed when the directory is created (default 64)")
	flags.StringVar(&f.Config.SecretFile, "secret-file", "", "file with the secret of a new directory, 32 hexadecimal digits (default: a random secret)")
	addLocale(cmd, &f.Config.Locale)
	addTerms(cmd, &f.Config.Terms)
	addControl(cmd, &f.Config.ControlShare)
	WithEnv(flags, "data", "rules", "memory", "shards", "secret-file")
	AddConfig(cmd)
	_ = cmd.RegisterFlagCompletionFunc("rules", completeRules) // the flag is there
	return f
}

// AddDefinition adds the flags of what is fixed when a deployment is made.
func AddDefinition(cmd *cobra.Command, c *node.Config) {
	flags := cmd.Flags()
	flags.StringVar(&c.Rules, "rules", "", "rules: a preset or a file (default: the preset default)")
	flags.IntVar(&c.Shards, "shards", 0, "number of shards, 1 to 1024, fixed for ever (default 64)")
	flags.StringVar(&c.SecretFile, "secret-file", "", "file with the secret of the deployment, 32 hexadecimal digits; every node needs it")
	addLocale(cmd, &c.Locale)
	WithEnv(flags, "rules", "shards", "secret-file")
	AddConfig(cmd)
	_ = cmd.RegisterFlagCompletionFunc("rules", completeRules) // the flag is there
}

// termsFlags names the flags that addTerms adds.
var termsFlags = []string{"score-margin", "score-horizon-days", "score-discount"}

// addTerms adds the flags that override the settings of scores in the rules.
func addTerms(cmd *cobra.Command, terms *node.Terms) {
	flags := cmd.Flags()
	flags.Var(givenNumber{&terms.Margin}, "score-margin", "lifetime value: margin on net revenue, above 0 and at most 1 (default: from the rules, else 1)")
	flags.Var(givenNumber{&terms.HorizonDays}, "score-horizon-days", "lifetime value: how many future days count, or inf (default: from the rules, else 365)")
	flags.Var(givenNumber{&terms.AnnualDiscount}, "score-discount", "lifetime value: yearly discount rate; 0.15 reduces revenue by 15 % for each year of delay (default: from the rules, else 0)")
	WithEnv(flags, termsFlags...)
}

// givenNumber is the value of a flag without a default: nil unless the flag is given.
type givenNumber struct{ value **float64 }

// Set implements pflag.Value.
func (n givenNumber) Set(text string) error {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("%q is not a number", text)
	}
	*n.value = &v
	return nil
}

// String implements pflag.Value.
func (n givenNumber) String() string {
	if n.value == nil || *n.value == nil {
		return ""
	}
	return strconv.FormatFloat(**n.value, 'g', -1, 64)
}

// Type implements pflag.Value.
func (givenNumber) Type() string { return "number" }

// addControl adds the flag that sizes the control group.
func addControl(cmd *cobra.Command, share *float64) {
	cmd.Flags().Float64Var(share, "control-share", 0, "share of customers in the control group, 0 to 1: they get no offers, so that the effect of offers can be measured (default 0)")
	WithEnv(cmd.Flags(), "control-share")
}

// AddLog adds the flags of commands that log while they run.
func (f *NodeFlags) AddLog(cmd *cobra.Command) {
	formats := []string{"text", "json"}
	f.logFormat = formats[0]
	cmd.Flags().Var(Choose(&f.logFormat, formats), "log-format", "format of the log: text or json")
	cmd.Flags().TextVar(&f.logLevel, "log-level", new(slog.LevelVar), "what is logged: debug, info, warn or error, and what is above it; debug has a line for each request")
	WithEnv(cmd.Flags(), "log-format", "log-level")
	f.Config.LogLevel = &f.logLevel
}

// Logger logs to w, one event a line, with identifiers and secrets masked. Format and level are those of the flags. A
// command without these flags logs warnings only, since it ends with its error and reports it then.
func (f *NodeFlags) Logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: &f.logLevel}
	switch f.logFormat {
	case "json":
		return slog.New(redact.NewHandler(slog.NewJSONHandler(w, options)))
	case "text":
		return slog.New(redact.NewHandler(slog.NewTextHandler(w, options)))
	}
	return slog.New(warnings{redact.NewHandler(slog.NewTextHandler(w, nil))})
}

// Settled returns the configuration as the flags have it.
func (f *NodeFlags) Settled() node.Config {
	f.Config.Memory, f.Config.Version = int64(f.Memory), ReadVersion().Version
	if f.Config.Memory == 0 {
		f.Config.Memory = storage.DefaultMemory()
	}
	return f.Config
}

// Open starts a Kindred and applies its memory limit to the whole process.
func (f *NodeFlags) Open(ctx context.Context, logger *slog.Logger) (*node.Kindred, error) {
	f.Settled()
	f.Config.Logger = logger
	k, err := node.New(f.Config)
	if err != nil {
		return nil, err
	}
	memory, err := storage.SplitMemory(f.Config.Memory)
	if err != nil {
		return nil, err
	}
	// Collect garbage rarely, and more often as the process approaches its limit.
	debug.SetGCPercent(storage.GCPercent)
	debug.SetMemoryLimit(memory.GoLimit())
	if err := k.Start(ctx); err != nil {
		return k, err
	}
	giveBackExecutable()
	return k, nil
}

// warnings is a handler that passes only warnings.
type warnings struct{ slog.Handler }

// Enabled implements slog.Handler.
func (warnings) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && level < slog.LevelError
}

// WithAttrs implements slog.Handler.
func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }
