package api

import (
	"errors"
	"net/http"
	"path/filepath"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/storage"
)

// postBackup answers POST /v1/admin/backup {"dir":"/absolute"}: a backup on the server's own disk,
// consistent, while events flow.
func (s *Server) postBackup(w http.ResponseWriter, r *http.Request) *problem {
	if s.Backup == nil {
		return &problem{code: document.CodeBackupDisabled}
	}
	var ask document.Backup
	if p := readJSON(w, r, &ask); p != nil {
		return p
	}
	if !filepath.IsAbs(ask.Dir) {
		return newProblem(document.CodeBackupRefused, "dir: want an absolute path on the machine of the server")
	}
	if !s.backingUp.TryLock() {
		return &problem{code: document.CodeBackupRunning}
	}
	defer s.backingUp.Unlock()
	patient(w)
	if err := s.Backup(filepath.Clean(ask.Dir)); err != nil {
		s.Logger.Error("backup failed", "error", err)
		return backupProblem(err)
	}
	s.Logger.Info("backup written")
	return sendDocument(w, document.Backup{Dir: filepath.Clean(ask.Dir)})
}

func backupProblem(err error) *problem {
	code := document.CodeBackupFailed
	switch {
	case errors.Is(err, storage.ErrForeign):
		code = document.CodeBackupRefused
	case errors.Is(err, storage.ErrDiskFull):
		code = document.CodeDiskFull
	}
	p := newProblem(code, "%v", err)
	var known *storage.Error
	if errors.As(err, &known) {
		p.hint = known.Remedy
	}
	return p
}
