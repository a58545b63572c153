package node

import (
	"context"
	"fmt"
	"time"

	"github.com/kindred-id/kindred/actors/letters"
	"github.com/kindred-id/kindred/api/document"
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

// checkLetters is a warning of readiness: refused events are dropped for later ones. Events are answered all the same.
func (k *Kindred) checkLetters(context.Context) document.Check {
	c := document.Check{Name: "dead_letters", OK: true}
	if number, bytes := k.letters.Size(); k.letters.Full() {
		c.Detail = fmt.Sprintf("the dead letters are full, with %d events of %d bytes: the oldest are dropped for later ones", number, bytes)
		c.Hint = "kindred deadletters list shows why events are refused; resend or drop them, or give --dead-letters more room"
	}
	return c
}

func (k *Kindred) closeLetters(context.Context) error {
	if k.letters != nil {
		k.letters.Close()
	}
	return nil
}
