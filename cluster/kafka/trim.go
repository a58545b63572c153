package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Trim deletes the records of a partition below an offset. A lower offset than the last one changes nothing.
func (l *Log) Trim(ctx context.Context, partition int32, before int64) error {
	var offsets kadm.Offsets
	offsets.AddOffset(l.config.Layout.Topic, partition, before, -1)
	deleted, err := l.admin.DeleteRecords(ctx, offsets)
	if err == nil {
		err = deleted.Error()
	}
	if errors.Is(err, kerr.OffsetOutOfRange) {
		if ranges, asked := l.Ranges(ctx); asked == nil && before <= ranges[partition].Start {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("journal: trim partition %d to offset %d: %w", partition, before, err)
	}
	return nil
}
