package node

import (
	"context"
	"time"

	"github.com/kindred-id/kindred/actors/letters"
)

// DeadLetters bounds what is kept of events that came over HTTP and were refused.
type DeadLetters struct {
	Off   bool          // refused events are not kept
	Bytes int64         // that they take; default: letters.DefaultBytes
	Age   time.Duration // after which they leave; default: letters.DefaultAge
}

// Bounds of the settings. The least is one large event.
const (
	leastLetterBytes = 2 << 20
	leastLetterAge   = time.Minute
)

func (d *DeadLetters) check() error {
	if err := unless(d.Bytes == 0 || d.Bytes >= leastLetterBytes, "--dead-letters: want at least 2MiB, or --dead-letters-off"); err != nil {
		return err
	}
	return unless(d.Age == 0 || d.Age >= leastLetterAge, "--dead-letters-age: want at least 1m")
}

// openLetters opens the dead letters; nil if they are off.
func (k *Kindred) openLetters() (err error) {
	d, c := k.directory, &k.config.DeadLetters
	if c.Off {
		return nil
	}
	k.letters, err = letters.Open(letters.Config{
		Catalog: d.engine.Catalog(), Now: d.engine.Now, Logger: k.config.Logger, Bytes: c.Bytes, Age: c.Age,
	})
	return err
}

func (k *Kindred) closeLetters(context.Context) error {
	if k.letters != nil {
		k.letters.Close()
	}
	return nil
}
