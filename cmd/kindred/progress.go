package main

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows people how far something is, with rate and time to go. Nobody else sees any of it:
// where w is no terminal it writes nothing. Its methods may be called from any goroutine.
type progress struct{ bar *progressbar.ProgressBar }

// newProgress begins a bar of total units, -1 when nobody knows how many there are. With bytes, the
// units are bytes; otherwise they are what unit says.
func newProgress(w io.Writer, what string, total int64, bytes bool, unit string) *progress {
	if !isTerminal(w) || total == 0 {
		return &progress{}
	}
	options := []progressbar.Option{
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(what),
		progressbar.OptionThrottle(100 * time.Millisecond),
		progressbar.OptionSetWidth(30),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionShowElapsedTimeOnFinish(),
		progressbar.OptionClearOnFinish(),
	}
	if bytes {
		options = append(options, progressbar.OptionShowBytes(true))
	} else {
		options = append(options, progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit))
	}
	return &progress{progressbar.NewOptions64(total, options...)}
}

// add tells of units done.
func (p *progress) add(n int64) {
	if p.bar != nil {
		_ = p.bar.Add64(n)
	}
}

// set tells of all units done so far.
func (p *progress) set(n int64) {
	if p.bar != nil {
		_ = p.bar.Set64(n)
	}
}

// end takes the bar away.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
		_ = p.bar.Clear()
	}
}
