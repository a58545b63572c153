package admin

import (
	"os"
	"path/filepath"
	"testing"
)

// A backup over HTTP is written below its folder, whatever a path says and wherever its links lead.
func TestBackupFolder(t *testing.T) {
	root := t.TempDir()
	folder := filepath.Join(root, "backups")
	for _, dir := range []string{"backups/old", "elsewhere", "backups-not"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"out": filepath.Join(root, "elsewhere"), "up": "..", "in": "old", "dangling": filepath.Join(root, "nowhere")} {
		if err := os.Symlink(to, filepath.Join(folder, link)); err != nil {
			t.Fatal(err)
		}
	}
	a := &Admin{BackupDir: folder}
	for dir, want := range map[string]string{
		"monday": folder + "/monday", "a/b/c": folder + "/a/b/c", folder + "/monday": folder + "/monday", "old/../monday": folder + "/monday",
		"in/x": folder + "/in/x",
		"":     "", ".": "", "..": "", "../elsewhere": "", "/": "", "/etc": "", folder: "", folder + "-not/x": "", root + "/elsewhere/x": "",
		folder + "/../elsewhere/x": "", "out": "", "out/x": "", "up/elsewhere": "", "dangling": "", "dangling/x": "",
	} {
		got, p := a.backupTarget(filepath.FromSlash(dir))
		if got != filepath.FromSlash(want) || (p == nil) != (want != "") {
			t.Errorf("%q: %q, %v", dir, got, p)
		}
	}
	if got, p := (&Admin{}).backupTarget(root); got != root || p != nil {
		t.Error("without a folder any absolute path is taken", got, p)
	}
}
