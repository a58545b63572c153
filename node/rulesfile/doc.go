// Package rulesfile reads the rules of a deployment from YAML: a preset by its name, or a file.
//
//	preset or file ──► YAML nodes ──► File{Rules, Identifier, Paths, Currency, Sources, Context, Scores}
//	                        │              ▲
//	              problems, with lines     └── what it extends
//
// The whole format, with every key:
//
//	extends: default            # a preset to begin with; without it, rules without limits
//	name: acme                  # for people; default: the name of the file
//	order: keep_first           # or latest_wins
//	alias: merges               # or refused: whether an alias between two user ids passes their limit
//	limits:
//	  email: 5
//	  anonymous_id: {max: 5, within: 7d}
//	  phone: none               # lifts the limit of what is extended
//	generic: {customers: 10, neighbours: 100}
//	caps: {identifiers: 1000, links: 10000}
//	namespaces:                 # own namespaces, in addition to the default ones
//	  loyalty_card: {class: customer, normalise: trim}
//	identifiers:                # where events carry them: a path of keys, and the namespace
//	  - {path: properties.loyalty_card, namespace: loyalty_card}
//	blocked:
//	  values: [nobody, "phone:+1 415 555 0000"]
//	  patterns: ['(?i)^qa-']
//	phone_region: US
//	default_currency: USD
//	assumed: [phone_region]     # stated by nobody: of the text that a directory stores
//	sources: [crm, web]         # if two sources contradict each other at one time, the first one listed wins
//	sources_apart: [till]       # sources whose message ids are unique only within the source
//	context: {keep: [page, campaign], ip: truncated, max_bytes: 4096} # the stored part of an event's context
//	times: {earliest: 2000-01-01, ahead: 24h}   # the times of events that are accepted
//	scores: {horizon_days: 365, annual_discount: 0, margin: 1}
//
// A file that extends a preset inherits all of it and overrides the keys that it states: limits one by one; generic, caps,
// context, times and scores key by key; every other key as a whole. The presets, in presets/, explain the meaning of each
// key of the rules.
//
// Invariants:
//   - F1: a File returned by Load passes graph.Rules.Check and identifier.New.
//   - F2: Rules.Version is a function of the meaning of the rules. The layout of the file, its name, and settings that do
//     not affect the resolution of identities, such as those of scores, do not change it.
//   - F3: an unknown key is an error, so that a misspelt limit never means no limit.
//   - F4: File.YAML is complete: parsing it gives an equal File.
package rulesfile
