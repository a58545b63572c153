package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strconv"

	"github.com/kindred-id/kindred/node"
	"github.com/kindred-id/kindred/storage"
	"github.com/spf13/cobra"
)

// NodeFlags are the flags of commands that run a Kindred themselves.
type NodeFlags struct {
	Config    node.Config
	Memory    ByteSize
	logFormat string
}

// AddNode adds the flags that say what to open.
func AddNode(cmd *cobra.Command) *NodeFlags {
	f := &NodeFlags{}
	flags := cmd.Flags()
	flags.StringVar(&f.Config.Dir, "data", "", "data directory; made when it is new")
	flags.StringVar(&f.Config.Rules, "rules", "", "preset or file of rules; default those of the last time, and the preset default at first")
	flags.Var(&f.Memory, "memory", "memory to use; default half of the machine's, at most 8 GiB")
	flags.IntVar(&f.Config.Shards, "shards", 0, "shards of a new directory, fixed from then on (default 64)")
	flags.StringVar(&f.Config.SecretFile, "secret-file", "", "file with the secret of a new directory, 32 hexadecimal digits (default a random one)")
	addTerms(cmd, &f.Config.Terms)
	addControl(cmd, &f.Config.ControlShare)
	WithEnv(flags, "data", "rules", "memory", "shards", "secret-file")
	return f
}

// termsFlags are the flags that addTerms adds.
var termsFlags = []string{"score-margin", "score-horizon-days", "score-discount"}

// addTerms adds the flags that come before the settings of scores in the rules.
func addTerms(cmd *cobra.Command, terms *node.Terms) {
	flags := cmd.Flags()
	flags.Var(givenNumber{&terms.Margin}, "score-margin", "lifetime value: share of net revenue that is earned, above 0 and up to 1; default that of the rules, 1 unless they name one")
	flags.Var(givenNumber{&terms.HorizonDays}, "score-horizon-days", "lifetime value: how far the future counts, or inf; default that of the rules, 365 unless they name one")
	flags.Var(givenNumber{&terms.AnnualDiscount}, "score-discount", "lifetime value: 0.15 takes 15 % off for each year that money comes later; default that of the rules, 0 unless they name one")
	WithEnv(flags, termsFlags...)
}

// givenNumber is a flag without a default: nil until it is given.
type givenNumber struct{ value **float64 }

// Set implements pflag.Value.
func (n givenNumber) Set(text string) error {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("%q is no number", text)
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

// addControl adds the flag that says how many customers get no offers.
func addControl(cmd *cobra.Command, share *float64) {
	cmd.Flags().Float64Var(share, "control-share", 0, "share of customers who get no offers, so that what offers do can be told, from 0 to 1")
	WithEnv(cmd.Flags(), "control-share")
}

// AddLogFormat adds the flag of commands that run for long.
func (f *NodeFlags) AddLogFormat(cmd *cobra.Command) {
	formats := []string{"text", "json"}
	f.logFormat = formats[0]
	cmd.Flags().Var(Choose(&f.logFormat, formats), "log-format", "text or json")
	WithEnv(cmd.Flags(), "log-format")
}

// Logger logs to w: from level info on in the format of the flag; without one warnings only, since an
// error is what the command itself ends with.
func (f *NodeFlags) Logger(w io.Writer) *slog.Logger {
	switch f.logFormat {
	case "json":
		return slog.New(slog.NewJSONHandler(w, nil))
	case "text":
		return slog.New(slog.NewTextHandler(w, nil))
	}
	return slog.New(warnings{slog.NewTextHandler(w, nil)})
}

// Open starts a Kindred, and holds the whole process to its memory.
func (f *NodeFlags) Open(ctx context.Context, logger *slog.Logger) (*node.Kindred, error) {
	f.Config.Memory, f.Config.Logger, f.Config.Version = int64(f.Memory), logger, ReadVersion().Version
	if f.Config.Memory == 0 {
		f.Config.Memory = storage.DefaultMemory()
	}
	k, err := node.New(f.Config)
	if err != nil {
		return nil, err
	}
	memory, err := storage.SplitMemory(f.Config.Memory)
	if err != nil {
		return nil, err
	}
	// Garbage is collected seldom, and more often as the process comes near its memory.
	debug.SetGCPercent(storage.GCPercent)
	debug.SetMemoryLimit(memory.GoLimit())
	return k, k.Start(ctx)
}

// warnings passes on warnings, and nothing else.
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
