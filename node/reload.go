package node

import (
	"errors"

	"github.com/kindred-id/kindred/api"
	"github.com/kindred-id/kindred/api/route"
)

// ErrNotRunning is returned by Reload before Start and after Stop.
var ErrNotRunning = errors.New("reload: nothing is running")

// Reload takes over the settings of c that may change while parts run, for what comes from now on: the level of the log,
// Origins, Mappings with their files, AllowedHosts, KeyRate and UnknownKey of Access, and the bounds of Feed. It leaves all others as they
// are. Everything of c is checked first, as Start would: an error changes nothing (N7).
//
// The obvious design, one atomic pointer to a Config that every part reads, would make each part know when a setting may
// change. So each part that can says so by a method of its own, which can't fail.
func (k *Kindred) Reload(c Config) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.running) == 0 {
		return ErrNotRunning
	}
	if err := Check(c); err != nil {
		return err
	}
	live, err := k.live(&c)
	if err != nil {
		return &ConfigError{err}
	}
	if f := k.directory.engine.Feed(); f != nil {
		f.Bound(c.Feed)
	}
	k.http.server.Apply(live)
	k.warnOfMappings(live.Mappings)
	k.reloadLevel(&c)
	return nil
}

// live reads what the server may take over.
func (k *Kindred) live(c *Config) (l api.Live, err error) {
	if k.config.Listen != "" { // without a listener, only this process asks
		if l.Bounds, err = k.bounds(&c.Access); err != nil {
			return l, err
		}
	}
	if l.Origins, err = route.NewOrigins(c.Origins); err != nil {
		return l, err
	}
	l.Mappings, err = readMappings(c.Mappings)
	return l, err
}

// reloadLevel sets the level of the log if its setting has changed: what the admin listener set stays otherwise.
func (k *Kindred) reloadLevel(c *Config) {
	if k.config.LogLevel == nil || c.LogLevel == nil {
		return
	}
	if to := c.LogLevel.Level(); to != k.level {
		k.config.LogLevel.Set(to)
		k.level = to
	}
}
