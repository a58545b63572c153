package clients

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Each library for browsers makes the profile that its calls describe in a real Chromium too: the page comes from an origin of
// its own, the browser itself asks the server whether the page may send, and no request goes to another host.
func TestChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("the libraries have to be installed: make clients")
	}
	chromium, err := findChromium()
	if err != nil {
		// Not even with CI=true: no target of CI needs a browser.
		t.Skipf("%v: install Chromium (Debian and Ubuntu: chromium), or name it in KINDRED_CHROMIUM", err)
	}
	page := readPage(t)
	for _, l := range libraries {
		if !l.browser {
			continue
		}
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			l.checkAll(t, page, "./chromium.mjs", chromium)
		})
	}
}

// findChromium returns the path of the browser.
func findChromium() (string, error) {
	if path := os.Getenv("KINDRED_CHROMIUM"); path != "" {
		return path, nil
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}
