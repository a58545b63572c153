package audit

import (
	"context"
	"fmt"
)

// totalsPass compares what the other passes have counted.
type totalsPass struct{ *auditor }

// run compares what was folded with what was written down, where nothing is to be replayed.
func (p totalsPass) run(context.Context) error {
	if len(p.moving) == 0 && p.report.OK() && p.report.Folded != p.report.Events {
		p.problem("timeline", 0, nil, fmt.Errorf("it holds %d events, and profiles count %d", p.report.Events, p.report.Folded))
	}
	return nil
}
