package admin

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/storage"
)

// postBackup answers POST /v1/admin/backup {"dir":"nightly"}: a backup on the server's own disk, consistent, while
// events flow.
//
// One runs at a time, and a second is refused rather than queued: it would be a copy of a later moment than its caller
// thinks. The answer may take minutes, so the deadlines of the connection are lifted.
func (a *Admin) postBackup(w http.ResponseWriter, r *http.Request) *route.Problem {
	return a.backUp(w, r, "backup", func(dir string) (any, error) { return document.Backup{Dir: dir}, a.Backup(dir) })
}

// backUp reads a request for a backup, has it written, and answers with what that returns. what names the backup in the log.
func (a *Admin) backUp(w http.ResponseWriter, r *http.Request, what string, write func(dir string) (made any, err error)) *route.Problem {
	if a.Backup == nil {
		return &route.Problem{Code: document.CodeBackupDisabled}
	}
	var ask document.Backup
	if p := route.ReadJSON(w, r, &ask); p != nil {
		return p
	}
	dir, p := a.backupTarget(ask.Dir)
	if p != nil {
		return p
	}
	if !a.backingUp.TryLock() {
		return &route.Problem{Code: document.CodeBackupRunning}
	}
	defer a.backingUp.Unlock()
	route.Patient(w)
	made, err := write(dir)
	if err != nil {
		a.Logger.Error(what+" failed", "error", err)
		return backupProblem(err)
	}
	a.Logger.Info(what + " written")
	return route.Send(w, made)
}

// backupTarget returns the directory that a client asks for, if it is below the folder of backups: by its path, and by what
// its links lead to.
func (a *Admin) backupTarget(dir string) (string, *route.Problem) {
	if a.BackupDir == "" {
		if !filepath.IsAbs(dir) {
			return "", route.NewProblem(document.CodeBackupRefused, "dir: want an absolute path on the machine of the server")
		}
		return filepath.Clean(dir), nil
	}
	outside := route.NewProblem(document.CodeBackupRefused, "dir: want a path below the folder of backups").
		WithHint("give a path below --backup-dir of the server, or one without a leading slash, which is taken from there")
	folder, err := filepath.Abs(a.BackupDir)
	if err != nil {
		return "", outside
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(folder, dir)
	}
	folder, err = filepath.EvalSymlinks(folder)
	real, pathErr := resolved(filepath.Clean(dir))
	if err != nil || pathErr != nil || !below(folder, real) {
		return "", outside
	}
	return filepath.Clean(dir), nil
}

// resolved follows the links of a path whose last parts may not exist yet.
func resolved(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return real, err
	}
	if _, dangling := os.Lstat(path); dangling == nil {
		return "", err // a link that leads nowhere yet
	}
	parent, err := resolved(filepath.Dir(path))
	return filepath.Join(parent, filepath.Base(path)), err
}

func below(folder, path string) bool {
	inside, err := filepath.Rel(folder, path)
	return err == nil && inside != "." && filepath.IsLocal(inside)
}

// backupProblem tells apart what the operator has to change: the directory, the disk, or neither. The store's own
// remedy, if it has one, is more exact than the hint of the code.
func backupProblem(err error) *route.Problem {
	code := document.CodeBackupFailed
	switch {
	case errors.Is(err, storage.ErrForeign):
		code = document.CodeBackupRefused
	case errors.Is(err, storage.ErrDiskFull):
		code = document.CodeDiskFull
	}
	p := route.NewProblem(code, "%v", err)
	var known *storage.Error
	if errors.As(err, &known) {
		p.Hint = known.Remedy
	}
	return p
}
