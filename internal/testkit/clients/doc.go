// Package clients drives the tracking libraries of other vendors against a server: the real ones, pinned.
//
//	docs/clients.md ──snippet──┐
//	node/ go/ python/ ─program─┴─► library ──► proxy (503, 429, cut, kill -9) ──► kindred serve ──► profile
//
// A program is a file of this directory with the snippet of its library in place of a comment. It sends its events, and ends
// once its standard input does. Programs for browsers run in jsdom (node/browser.mjs) and in Chromium (node/chromium.mjs).
// The libraries are installed below .clients: see make clients. Where one is not, its test is skipped; with CI=true the test
// fails. Where there is no Chromium, its test is skipped in any case.
package clients
