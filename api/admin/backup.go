package admin

import (
	"errors"
	"net/http"
	"path/filepath"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/storage"
)

// postBackup answers POST /v1/admin/backup {"dir":"/absolute"}: a backup on the server's own disk, consistent, while
// events flow.
//
// One runs at a time, and a second is refused rather than queued: it would be a copy of a later moment than its caller
// thinks. The answer may take minutes, so the deadlines of the connection are lifted.
func (a *Admin) postBackup(w http.ResponseWriter, r *http.Request) *route.Problem {
	if a.Backup == nil {
		return &route.Problem{Code: document.CodeBackupDisabled}
	}
	var ask document.Backup
	if p := route.ReadJSON(w, r, &ask); p != nil {
		return p
	}
	if !filepath.IsAbs(ask.Dir) {
		return route.NewProblem(document.CodeBackupRefused, "dir: want an absolute path on the machine of the server")
	}
	if !a.backingUp.TryLock() {
		return &route.Problem{Code: document.CodeBackupRunning}
	}
	defer a.backingUp.Unlock()
	route.Patient(w)
	if err := a.Backup(filepath.Clean(ask.Dir)); err != nil {
		a.Logger.Error("backup failed", "error", err)
		return backupProblem(err)
	}
	a.Logger.Info("backup written")
	return route.Send(w, document.Backup{Dir: filepath.Clean(ask.Dir)})
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
