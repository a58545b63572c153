package run

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/node"
	"github.com/spf13/cobra"
)

// A reloader reads the settings of a running server again at each SIGHUP: the same command line, and environment and
// configuration file as they are now. Settings that may change while the server runs change; one warning names the others.
// Settings that can't be used change nothing.
type reloader struct {
	cmd     *cobra.Command
	kindred *node.Kindred
	logger  *slog.Logger
	inForce map[string]string // values of settings, by name
}

func newReloader(cmd *cobra.Command, kindred *node.Kindred, logger *slog.Logger) *reloader {
	r := &reloader{cmd: cmd, kindred: kindred, logger: logger, inForce: map[string]string{}}
	for _, s := range cli.Settings(cmd) {
		r.inForce[s.Name] = s.Value
	}
	return r
}

// run reloads at each signal until the server stops.
func (r *reloader) run(signals <-chan os.Signal, stopped <-chan struct{}) {
	for {
		select {
		case <-signals:
			r.reload()
		case <-stopped:
			return
		}
	}
}

func (r *reloader) reload() {
	settings, config, err := r.read()
	if err == nil {
		err = r.kindred.Reload(config)
	}
	if err != nil {
		r.logger.Error("the settings can't be used: those in force stay", "error", err)
		return
	}
	var changed, later []string
	now := map[string]bool{}
	for _, s := range settings {
		now[s.Name] = true
		switch from := r.inForce[s.Name]; {
		case from == s.Value:
		case s.Reload:
			changed = append(changed, fmt.Sprintf("%s: %s → %s", s.Name, shown(from), shown(s.Value)))
			r.inForce[s.Name] = s.Value
		default:
			later = append(later, s.Name)
		}
	}
	for name := range r.inForce {
		if !now[name] { // keys of a section exist where they are set
			later = append(later, name)
		}
	}
	r.logger.Info("settings read again", "changed", strings.Join(changed, "; "))
	if len(later) > 0 {
		slices.Sort(later)
		r.logger.Warn("settings have changed that need a restart: those in force stay", "settings", strings.Join(later, ", "))
	}
}

// shown is a value as the log shows it.
func shown(value string) string {
	if value == "" {
		return "(none)"
	}
	return value
}

// read makes the configuration that the server would start with now.
func (r *reloader) read() ([]cli.Setting, node.Config, error) {
	cmd := &cobra.Command{Use: r.cmd.Use, Args: cobra.NoArgs}
	f := addServe(cmd)
	root := &cobra.Command{Use: r.cmd.Root().Use}
	root.AddCommand(cmd)
	root.AddCommand(Commands()...) // a file may have settings of any of them
	_, args, err := r.cmd.Root().Find(cli.Args(r.cmd.Context()))
	if err == nil {
		err = cmd.ParseFlags(args)
	}
	if err == nil {
		err = cli.Settle(cmd)
	}
	if err == nil {
		err = cmd.PreRunE(cmd, nil)
	}
	if err == nil {
		err = f.settle(cmd)
	}
	return cli.Settings(cmd), f.node.Settled(), err
}
