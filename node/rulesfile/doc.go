// Package rulesfile reads the rules of a deployment from YAML: a preset by its name, or a file.
//
//	preset or file ──► YAML nodes ──► File{Rules, Identifier, Paths, Currency, Sources, Context, Scores}
//	                        │              ▲
//	              problems, with lines     └── what it extends
//
// The whole format, with every key:
//
//	extends: default            # a preset to begin with; without it, from nothing
//	name: acme                  # for people; the file's name unless given
//	order: keep_first           # or latest_wins
//	alias: merges               # or refused: whether an alias between two user ids passes their limit
//	limits:
//	  email: 5
//	  anonymous_id: {max: 5, within: 7d}
//	  phone: none               # lifts the limit of what is extended
//	generic: {customers: 10, neighbours: 100}
//	caps: {identifiers: 1000, links: 10000}
//	namespaces:                 # own namespaces, beside the default ones
//	  loyalty_card: {class: customer, normalise: trim}
//	identifiers:                # where events carry them: a path of keys, and the namespace
//	  - {path: properties.loyalty_card, namespace: loyalty_card}
//	blocked:
//	  values: [nobody, "phone:+1 415 555 0000"]
//	  patterns: ['(?i)^qa-']
//	phone_region: US
//	default_currency: USD
//	sources: [crm, web]         # where two say different things at one time, the first wins
//	sources_apart: [till]       # whose message ids are their own; all others share one numbering
//	context: {keep: [page, campaign], ip: truncated, max_bytes: 4096} # what of an event's context is kept
//	times: {earliest: 2000-01-01, ahead: 24h}   # of which times events are believed
//	scores: {horizon_days: 365, annual_discount: 0, margin: 1}
//
// What extends a preset takes over all of it, and replaces what it states itself: limits one by one,
// generic, caps, context, times and scores key by key, every other key as a whole. The presets, in presets/, explain the
// meaning of each key of the rules.
//
// Invariants:
//   - F1: what Load gives passes graph.Rules.Check and identifier.New.
//   - F2: Rules.Version is a function of what the rules say, not of how the file is written, nor of its name,
//     nor of what asks for nobody to be resolved anew, such as the settings of scores.
//   - F3: a key that is not known is an error: a misspelt limit never means no limit.
//   - F4: File.YAML says all that the file does: parsed, it gives an equal File.
package rulesfile
