package main

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/kindred-id/kindred/bench/generate"
	"github.com/klauspost/compress/zstd"
	"github.com/spf13/cobra"
)

func newCompare() *cobra.Command {
	return &cobra.Command{
		Use:   "compare EXPORT TRUTH",
		Short: "Compare an export with the truth of generated events",
		Long:  "Compare an export with the truth that kindred generate wrote, in any order of lines.\nEnds with 0 when they are equal, and with 1 and a report of the differences when not.",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return compare(cmd.OutOrStdout(), args[0], args[1])
		},
	}
}

func compare(w io.Writer, export, truth string) error {
	e, err := openInfile(export)
	if err != nil {
		return err
	}
	defer e.Close()
	t, err := openInfile(truth)
	if err != nil {
		return err
	}
	defer t.Close()
	report, err := generate.Compare(e, t)
	if err != nil {
		return fmt.Errorf("compare %s with %s: %w", export, truth, err)
	}
	if _, err := io.WriteString(w, report.String()); err != nil {
		return err
	}
	if !report.OK() {
		return silently(exitFailure)
	}
	return nil
}

// openInfile opens a file to read, decompressed when its name ends in .gz or .zst; "-" is standard input.
func openInfile(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(os.Stdin), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	var text io.Reader = f
	switch {
	case strings.HasSuffix(name, ".gz"):
		text, err = gzip.NewReader(f)
	case strings.HasSuffix(name, ".zst"):
		text, err = zstd.NewReader(f)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", name, err), f.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{text, f}, nil
}
