package admin

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/lookup"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/graph/score/fit"
	"github.com/kindred-id/kindred/storage"
)

// newAdmin has no engine, no scores and no backups: what reaches one of them panics.
func newAdmin(t *testing.T) *Admin {
	t.Helper()
	registry, err := identifier.New([16]byte{1}, identifier.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return &Admin{Lookup: &lookup.Lookup{Registry: registry}, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
}

func post(h route.Handler, body string) *route.Problem {
	return h(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader(body)))
}

// An assertion that makes no sense is refused before the engine is asked; the first part that is wrong is named.
func TestAssertionsRefused(t *testing.T) {
	a := newAdmin(t)
	long := func(n int) string { return strings.Repeat("x", n+1) }
	for _, c := range []struct {
		body, detail string
		code         document.Code
	}{
		{``, "empty", document.CodeInvalidBody},
		{`[]`, "the body", document.CodeInvalidBody},
		{`{"verb":"force","c":"user_id:1"}`, `"c"`, document.CodeInvalidBody},
		{`{"a":"user_id:1","b":"user_id:2"}`, "verb", document.CodeBadAssertion},
		{`{"verb":"Force","a":"user_id:1","b":"user_id:2"}`, "verb", document.CodeBadAssertion},
		{`{"verb":"force","b":"user_id:2"}`, "a: ", document.CodeBadAssertion},
		{`{"verb":"cannot","a":"user_id:1"}`, "b: ", document.CodeBadAssertion},
		{`{"verb":"retract","a":"user_id:1"}`, "b: ", document.CodeBadAssertion},
		{`{"verb":"forget","a":"user_id:1","b":"user_id:2"}`, "b: ", document.CodeBadAssertion},
		{`{"verb":"forget","a":"user_id:1","note":"` + long(maxNote) + `"}`, "note: ", document.CodeBadAssertion},
		{`{"verb":"forget","a":"user_id:1","by":"` + long(maxBy) + `"}`, "by: ", document.CodeBadAssertion},
		{`{"verb":"forget","a":"ann"}`, "", document.CodeBadID},
		{`{"verb":"forget","a":"emial:ann@example.com"}`, "emial", document.CodeUnknownNamespace},
	} {
		if p := post(a.postAssertion, c.body); p == nil || p.Code != c.code || !strings.Contains(p.Detail, c.detail) {
			t.Errorf("%.60s: %+v, want %s with %q", c.body, p, c.code, c.detail)
		}
	}
}

// A backup needs an absolute directory, runs alone, and tells apart what the operator has to change: the directory, the disk,
// or neither.
func TestBackup(t *testing.T) {
	a := newAdmin(t)
	absolute := fmt.Sprintf(`{"dir":%q}`, filepath.ToSlash(t.TempDir())+"/x/../copy")
	if p := post(a.postBackup, absolute); p == nil || p.Code != document.CodeBackupDisabled {
		t.Errorf("switched off: %+v", p)
	}
	var dir string
	var fails error
	a.Backup = func(d string) error { dir = d; return fails }
	for body, code := range map[string]document.Code{
		``: document.CodeInvalidBody, `{}`: document.CodeBackupRefused, `{"dir":"copy"}`: document.CodeBackupRefused,
		`{"dir":"./copy"}`: document.CodeBackupRefused, `{"path":"/copy"}`: document.CodeInvalidBody,
	} {
		if p := post(a.postBackup, body); p == nil || p.Code != code || dir != "" {
			t.Errorf("%s: %+v, want %s; %q was asked for", body, p, code, dir)
		}
	}
	if p := post(a.postBackup, absolute); p != nil || filepath.Base(dir) != "copy" || strings.Contains(dir, "..") {
		t.Errorf("%+v; %q was asked for", p, dir)
	}
	for _, c := range []struct {
		err  error
		code document.Code
		hint string
	}{
		{&storage.Error{Class: storage.ErrForeign, Op: "back up", Path: "/copy", Remedy: "choose another"}, document.CodeBackupRefused, "choose another"},
		{fmt.Errorf("link: %w", storage.ErrDiskFull), document.CodeDiskFull, ""},
		{errors.New("odd"), document.CodeBackupFailed, ""},
	} {
		fails = c.err
		if p := post(a.postBackup, absolute); p == nil || p.Code != c.code || p.Hint != c.hint || !strings.Contains(p.Detail, c.err.Error()) {
			t.Errorf("%v: %+v, want %s", c.err, p, c.code)
		}
	}
	a.backingUp.Lock()
	defer a.backingUp.Unlock()
	if p := post(a.postBackup, absolute); p == nil || p.Code != document.CodeBackupRunning {
		t.Errorf("beside another: %+v", p)
	}
}

// Without scores there is no fit to ask for; with them, only a sample that no model fits is an answer, and not a failure.
func TestFit(t *testing.T) {
	if p := post(newAdmin(t).postFit, ""); p == nil || p.Code != document.CodeUnknownRoute {
		t.Errorf("without scores: %+v", p)
	}
	for err, want := range map[error]bool{
		fit.ErrSample: true, fit.ErrNoOptimum: true, fmt.Errorf("spend: %w", fit.ErrCell): true,
		storage.ErrDiskFull: false, actors.ErrBusy: false,
	} {
		if ofSample(err) != want {
			t.Errorf("%v: of the sample: %t", err, !want)
		}
	}
}

// Problems of receivers: what was asked for is not there, or the engine has stopped.
func TestReceiverProblems(t *testing.T) {
	for err, code := range map[error]document.Code{
		feed.ErrOff: document.CodeFeedOff,
		fmt.Errorf("%w: ads", feed.ErrNoReceiver): document.CodeUnknownReceiver,
		actors.ErrClosed:   document.CodeShuttingDown,
		storage.ErrCorrupt: document.CodeEngineFailed,
	} {
		if p := receiverProblem(err); p == nil || p.Code != code {
			t.Errorf("%v: %+v, want %s", err, p, code)
		}
	}
}
