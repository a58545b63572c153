package cli

import (
	"cmp"
	"runtime"
	"runtime/debug"

	"github.com/kindred-id/kindred/storage"
)

// Build is the version of the program. The linker sets it in package main, and main copies it here.
var Build = "dev"

// versionInfo describes this build.
type versionInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Format   int    `json:"format"` // of data directories
}

// ReadVersion reads the version from the linker's value and the build information of the Go toolchain.
func ReadVersion() versionInfo {
	v := versionInfo{Version: Build, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Format: storage.Format}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if Build == "dev" && info.Main.Version != "(devel)" {
		v.Version = cmp.Or(info.Main.Version, Build)
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
