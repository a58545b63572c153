package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/kindred-id/kindred/bench/research/publicdata"
)

// The pictures in the docs are those that the data give. After a change of a model this test fails, until make plots has run.
func TestDocumentedPictures(t *testing.T) {
	drawings, err := drawAll(publicdata.Dir(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range drawings {
		documented, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "images", d.file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(documented, d.svg) {
			t.Errorf("docs/images/%s is not what the data make: run make plots and look at it", d.file)
		}
		for x := xml.NewDecoder(bytes.NewReader(d.svg)); ; {
			if _, err := x.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", d.file, err)
			}
		}
	}
}

// Without the data nothing is written, and the error names the folders that were searched.
func TestMissingData(t *testing.T) {
	t.Setenv(publicdata.Variable, t.TempDir())
	out := filepath.Join(t.TempDir(), "images")
	if err := run("", out); err == nil {
		t.Error("drawn without data")
	}
	if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v, want nothing written", out, err)
	}
}
