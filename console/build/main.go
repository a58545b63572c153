// Command build bundles the console: console/src and console/vendor become console/dist, which the binary embeds. It needs
// no Node, and makes the same bytes each time. Types are checked by the tests of the browser.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	if err := bundle(".."); err != nil {
		fmt.Fprintln(os.Stderr, "build the console:", err)
		os.Exit(1)
	}
}

// bundle bundles the console in dir.
func bundle(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	result := api.Build(api.BuildOptions{
		AbsWorkingDir: dir,
		EntryPoints:   []string{"src/console.tsx", "src/console.css"},
		Outdir:        "dist",
		NodePaths:     []string{filepath.Join(dir, "vendor")},
		Bundle:        true, Write: true, LogLevel: api.LogLevelWarning,
		Format: api.FormatESModule, Target: api.ES2022,
		JSX: api.JSXAutomatic, JSXImportSource: "preact",
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true,
		LegalComments: api.LegalCommentsNone, // dist/LICENSES.txt has them
		TsconfigRaw:   "{}",
		Charset:       api.CharsetUTF8,
	})
	if len(result.Errors) > 0 {
		return fmt.Errorf("%d errors", len(result.Errors))
	}
	if err := copyFiles(dir, "index.html", "icon.svg"); err != nil {
		return err
	}
	return licences(dir)
}

// copyFiles copies what is no script and no style as it is.
func copyFiles(dir string, names ...string) error {
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(dir, "src", name)) //nolint:gosec // a file of the repository
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "dist", name), text, 0o644); err != nil { //nolint:gosec // it is public
			return err
		}
	}
	return nil
}

// licences writes the licences of the libraries that are in the bundle: who passes a binary on passes them on.
func licences(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "vendor", "*", "LICENSE"))
	if err != nil {
		return err
	}
	scoped, err := filepath.Glob(filepath.Join(dir, "vendor", "@*", "*", "LICENSE"))
	if err != nil {
		return err
	}
	var all []byte
	for _, file := range append(scoped, files...) {
		text, err := os.ReadFile(file) //nolint:gosec // a file of the repository
		if err != nil {
			return err
		}
		name, err := filepath.Rel(filepath.Join(dir, "vendor"), filepath.Dir(file))
		if err != nil {
			return err
		}
		all = fmt.Appendf(all, "%s\n\n%s\n\n", filepath.ToSlash(name), text)
	}
	return os.WriteFile(filepath.Join(dir, "dist", "LICENSES.txt"), all, 0o644) //nolint:gosec // it is public
}
