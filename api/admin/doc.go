// Package admin does what operators ask for: assertions, backups, fits of the scores' parameters, receivers of the change
// feed, and what the deployment holds.
//
//	POST /v1/assertions ──► names, contradictions ──► Engine.Preview, Assert ──► visible ──► answer
package admin
