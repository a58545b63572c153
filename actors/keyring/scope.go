package keyring

import (
	"fmt"
	"slices"
	"strings"
)

// Scope is a set of permissions.
type Scope uint8

// The permissions. Their names are part of the API, and their bits are not stored.
const (
	WriteEvents     Scope = 1 << iota // send events
	ReadProfiles                      // ask about people; exports and changes too
	AdministerGraph                   // assert who is who; make and revoke keys
	ErasePeople                       // erase a person
	Operate                           // statistics, metrics, backups, receivers, fits
	DefineAudiences                   // define audiences and computed traits

	all = DefineAudiences<<1 - 1
)

// All returns every permission: that of every client of a deployment without keys.
func All() Scope { return all }

var scopeNames = []string{"events:write", "profiles:read", "graph:admin", "privacy:erase", "ops", "audiences:write"}

// Has reports whether every permission of other is in s. Keys that may operate may define audiences: they could when that had no
// permission of its own.
func (s Scope) Has(other Scope) bool {
	if s&Operate != 0 {
		s |= DefineAudiences
	}
	return other&^s == 0
}

// Names returns the names of the permissions in s.
func (s Scope) Names() []string {
	names := []string{}
	for i, name := range scopeNames {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

func (s Scope) String() string { return strings.Join(s.Names(), " ") }

// ParseScopes reads names of permissions.
func ParseScopes(names []string) (Scope, error) {
	s, unknown := knownScopes(names)
	if unknown != "" {
		return 0, bad("scope %q: want some of %s", unknown, strings.Join(scopeNames, ", "))
	}
	return s, nil
}

// knownScopes reads names of permissions, and returns the last one that this program does not know, if any.
func knownScopes(names []string) (s Scope, unknown string) {
	for _, name := range names {
		i := slices.Index(scopeNames, name)
		if i < 0 {
			unknown = name
			continue
		}
		s |= 1 << i
	}
	return s, unknown
}

// Kind is what a key is for. Its prefix stands before the key, so that a leaked key shows what it is.
type Kind string

// The kinds of keys.
const (
	Write Kind = "write"
	Read  Kind = "read"
	Admin Kind = "admin"
	Erase Kind = "erase"
	Ops   Kind = "ops"
)

// kindTable has the prefix of each kind, and what its keys may do unless something else is asked for.
var kindTable = []struct {
	kind   Kind
	prefix string
	scopes Scope
}{
	{Write, "wk_", WriteEvents},
	{Read, "rk_", ReadProfiles},
	{Admin, "ak_", all},
	{Erase, "ek_", ErasePeople},
	{Ops, "ok_", Operate},
}

// Role is what a person does. It stands for permissions.
type Role string

// roleTable has the permissions of each role, and the kind of its keys.
var roleTable = []struct {
	role   Role
	kind   Kind
	scopes Scope
}{
	{"viewer", Read, ReadProfiles},
	{"marketer", Read, ReadProfiles | DefineAudiences},
	{"engineer", Ops, WriteEvents | ReadProfiles | Operate},
	{"privacy", Erase, ReadProfiles | ErasePeople},
	{"admin", Admin, all},
}

// Scopes returns the permissions of a role.
func (r Role) Scopes() (Scope, error) {
	for _, row := range roleTable {
		if row.role == r {
			return row.scopes, nil
		}
	}
	return 0, bad("role %q: want %s", r, strings.Join(roleNames(), ", "))
}

func roleNames() (names []string) {
	for _, row := range roleTable {
		names = append(names, string(row.role))
	}
	return names
}

// bad says what is wrong with a Spec.
func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrSpec, fmt.Errorf(format, args...))
}
