package collect

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/kindred-id/kindred/actors/letters"
	"github.com/kindred-id/kindred/api/access"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/ingest/segment"
	"golang.org/x/time/rate"
)

// setAside keeps the events of a request whose key does not count as dead letters, if the gate allows it, and answers 200:
// a library would drop them, or end its process, for a key with a typo. All of them are durable before the answer, or none is
// kept and the request is refused. Nothing of it is taken, decoded or counted as an event.
func (c *Collector) setAside(r *http.Request, batch *segment.Batch, from *mapped, refusal *access.Refusal, a asked, answer func(*request) *route.Problem) *route.Problem {
	if !refusal.Aside || c.Letters == nil || !keepable(batch) || !c.strangers.allow(r.RemoteAddr, len(batch.Events), time.Now()) {
		return route.Refused(refusal)
	}
	why := &segment.Rejection{
		Code: segment.Code(refusal.Code), Message: asideReasons[refusal.Code],
		Hint: "give the sender a key that is valid; an operator has the event taken with kindred deadletters resend",
	}
	in := c.newRequest()
	defer c.keep(in)
	if from != nil {
		in.mapped = &mapped{places: from.places, problems: from.problems, skipped: from.skipped} // the caller releases the texts
	}
	aside := make([]letters.Letter, 0, len(batch.Events))
	at := sentAt(r, batch, from)
	for i, raw := range batch.Events {
		v := in.Refuse(why)
		v.Status = ingest.Quarantined
		if from == nil || from.problems[i] == nil {
			v.ID = messageID(raw)
		}
		aside = append(aside, c.letter(r, in, batch, a, at, refusal.Source, i))
	}
	if err := c.Letters.KeepAside(r.Context(), aside); err != nil {
		return route.Refused(refusal)
	}
	return answer(in)
}

// asideReasons say why an event is kept aside.
var asideReasons = map[document.Code]string{
	document.CodeUnknownKey: "the write key is not known: the event is kept aside, and not taken",
	document.CodeKeyExpired: "the write key has expired: the event is kept aside, and not taken",
	document.CodeKeyRevoked: "the write key was revoked: the event is kept aside, and not taken",
}

// keepable reports whether letters can hold all events of a batch, with their texts.
func keepable(batch *segment.Batch) bool {
	size := 0
	for _, raw := range batch.Events {
		if size += len(raw); len(raw) > letters.MaxText {
			return false
		}
	}
	return len(batch.Events) > 0 && len(batch.Events) <= letters.MostAtOnce && size <= letters.MostBytesAtOnce
}

// strangers bounds the events that are kept aside of each address: as many as strangerEvents at once, and in an hour.
//
//   - len(of) <= strangersMost. Only those are forgotten that could send as many as a new one; while there are none, an
//     address that was not seen yet has nothing kept.
type strangers struct {
	mu     sync.Mutex // guards the following
	of     map[netip.Prefix]*rate.Limiter
	looked time.Time // for those to forget
}

// Bounds of strangers.
const (
	strangersMost  = 4096
	strangerEvents = 1000
	forgetEvery    = time.Second
)

// allow takes n events from what an address may send.
func (s *strangers) allow(address string, n int, now time.Time) bool {
	key := neighbourhood(address)
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.of[key]
	if l == nil {
		if len(s.of) >= strangersMost && !s.forgetLocked(now) {
			return false
		}
		if s.of == nil {
			s.of = make(map[netip.Prefix]*rate.Limiter)
		}
		l = rate.NewLimiter(rate.Every(time.Hour/strangerEvents), strangerEvents)
		s.of[key] = l
	}
	return l.AllowN(now, n)
}

// forgetLocked forgets addresses that have sent nothing for an hour. It reports whether there is room now. REQUIRES: s.mu held
func (s *strangers) forgetLocked(now time.Time) bool {
	if now.Sub(s.looked) < forgetEvery {
		return false
	}
	s.looked = now
	for key, l := range s.of {
		if l.TokensAt(now) >= strangerEvents {
			delete(s.of, key)
		}
	}
	return len(s.of) < strangersMost
}

// neighbourhood is what counts as one address: an address of IPv4, and a network of IPv6 as providers give to one customer.
func neighbourhood(address string) netip.Prefix {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return netip.Prefix{}
	}
	ip := at.Addr().Unmap().WithZone("")
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	network, _ := ip.Prefix(bits) // bits fit
	return network
}
