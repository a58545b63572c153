// Package browser drives the console in a real Chromium, against servers that are processes: what a person with a browser sees.
// The steps are in console/test/pages.mjs. Run it with `make console-test`.
package browser
