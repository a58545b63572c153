// Package console is the console: pages for people who use a browser, as files in the binary.
//
//	src/*.tsx + vendor/ ──go generate (build/)──► dist/ ──embedded──► Handler ──► browser ──► /v1/…, with a session's cookie
//
// The pages are Preact in TypeScript. They know what the API answers, and nothing else: whatever they show, a program can
// ask for as well, with the same rights. So this package has no route but files, which tell nothing about anybody.
//
// Invariants:
//   - C1: no script but dist/console.js runs, and none comes from elsewhere: contentPolicy. Texts of people are never markup.
//   - C2: addresses and titles have public ids only. Browsers keep both, and proxies log the former.
//   - C3: every text comes from src/locales, in each language under the same name.
//   - C4: what changes something shows first what it would change.
//
// A change of src needs `go generate ./console`; verify fails where dist is not what src makes. The libraries in vendor are as
// published; vendor/fetch names their versions, and vendor/SHA256SUMS their files.
package console
