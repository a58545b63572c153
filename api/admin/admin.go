package admin

import (
	"log/slog"
	"sync"
	"time"

	"github.com/kindred-id/kindred/actors/idempotency"
	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/actors/scoring"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/lookup"
	"github.com/kindred-id/kindred/graph/score"
)

// Admin does what operators ask for.
type Admin struct {
	*lookup.Lookup
	Version   string
	Started   time.Time
	Assumed   []string                // settings of the rules that nobody has stated
	Scores    *scoring.Keeper         // nil: the server computes no scores
	Control   score.Control           // the control group
	Cluster   func() document.Cluster // nil: the server is no node of a cluster
	Nodes     Nodes                   // of its cluster
	Topics    Topics                  // of its cluster
	Backup    func(dir string) error  // nil: backups are switched off
	BackupDir string                  // backups are written below it; empty: anywhere
	Keys      *keyring.Keyring        // nil: there are no access keys to manage
	Answers   *idempotency.Keeper     // of requests with an idempotency key
	Logger    *slog.Logger

	backingUp sync.Mutex // one backup at a time
}
