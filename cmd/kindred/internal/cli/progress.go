package cli

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Progress shows people how far something is, with rate and time to go. Nobody else sees any of it:
// where w is no terminal it writes nothing. Its methods may be called from any goroutine.
type Progress struct{ bar *progressbar.ProgressBar }

// NewProgress begins a bar of total units, -1 when nobody knows how many there are. With bytes, the
// units are bytes; otherwise they are what unit says.
func NewProgress(w io.Writer, what string, total int64, bytes bool, unit string) *Progress {
	if !isTerminal(w) || total == 0 {
		return &Progress{}
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
	return &Progress{progressbar.NewOptions64(total, options...)}
}

// Add tells of units done.
func (p *Progress) Add(n int64) {
	if p.bar != nil {
		_ = p.bar.Add64(n)
	}
}

// Set tells of all units done so far.
func (p *Progress) Set(n int64) {
	if p.bar != nil {
		_ = p.bar.Set64(n)
	}
}

// End takes the bar away.
func (p *Progress) End() {
	if p.bar != nil {
		_ = p.bar.Finish()
		_ = p.bar.Clear()
	}
}
