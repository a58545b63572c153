package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/kindred-id/kindred/storage"
	"github.com/spf13/cobra"
)

// versionInfo is what a build says of itself.
type versionInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Format   int    `json:"format"` // of data directories
}

func newVersion() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
	}
	out := addOutput(cmd, formatTable, formatJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		v := readVersion()
		if out.format == "" {
			out.format = formatTable // a line that people paste into reports
		}
		return out.show(cmd.OutOrStdout(), v, func(w io.Writer) {
			fmt.Fprintf(w, "kindred %s, %s %s, data format %d", v.Version, v.Go, v.Platform, v.Format)
			if v.Revision != "" {
				fmt.Fprintf(w, ", revision %s", v.Revision)
			}
			fmt.Fprintln(w)
		})
	}
	return cmd
}

func readVersion() versionInfo {
	v := versionInfo{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Format: storage.Format}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if version == "dev" && info.Main.Version != "(devel)" {
		v.Version = cmp.Or(info.Main.Version, version)
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}
