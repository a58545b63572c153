package access

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/kindred-id/kindred/api/document"
	"golang.org/x/time/rate"
)

// limits bounds the requests of each caller: a bucket that holds as many requests as a second has, and fills steadily.
//
//   - len(of) <= limitersMost: a bucket that is full says nothing, and is made again when it is needed. Should none be
//     full, one is forgotten; its caller may make one second's requests once more.
type limits struct {
	mu sync.RWMutex // guards the following
	of map[string]*limiter
}

// limitersMost bounds the buckets, some 200 bytes each.
const limitersMost = 16_384

type limiter struct {
	*rate.Limiter
	perSecond int
}

// take takes a request from the bucket of a caller, and tells the client what is left. perSecond 0 is no bound.
func (l *limits) take(h http.Header, id string, perSecond int) *Refusal {
	if perSecond == 0 {
		return nil
	}
	return l.find(id, perSecond).take(h, time.Now())
}

func (l *limits) find(id string, perSecond int) *limiter {
	l.mu.RLock()
	found := l.of[id]
	l.mu.RUnlock()
	if found != nil && found.perSecond == perSecond {
		return found
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if found := l.of[id]; found != nil && found.perSecond == perSecond {
		return found
	}
	l.makeRoomLocked(time.Now())
	made := &limiter{rate.NewLimiter(rate.Limit(perSecond), perSecond), perSecond}
	l.of[id] = made
	return made
}

// makeRoomLocked forgets full buckets, or else some bucket. REQUIRES: l.mu held
func (l *limits) makeRoomLocked(now time.Time) {
	if len(l.of) < limitersMost {
		return
	}
	for id, b := range l.of {
		if b.TokensAt(now) >= float64(b.perSecond) {
			delete(l.of, id)
		}
	}
	for id := range l.of {
		if len(l.of) < limitersMost {
			return
		}
		delete(l.of, id)
	}
}

// take takes one request at a time, or says when there will be room for it. A refused request takes nothing.
func (b *limiter) take(h http.Header, now time.Time) *Refusal {
	allowed := b.AllowN(now, 1)
	left := max(0, b.TokensAt(now))
	full := math.Ceil((float64(b.perSecond) - left) / float64(b.perSecond))
	h.Set("RateLimit-Limit", strconv.Itoa(b.perSecond))
	h.Set("RateLimit-Remaining", strconv.Itoa(int(left)))
	h.Set("RateLimit-Reset", strconv.Itoa(int(full)))
	if allowed {
		return nil
	}
	wait := math.Ceil((1 - left) / float64(b.perSecond))
	return &Refusal{
		Code: document.CodeRateLimited, Detail: "the key may make " + strconv.Itoa(b.perSecond) + " requests in a second",
		RetryAfter: max(1, int(wait)),
	}
}
