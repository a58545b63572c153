package collect

import (
	"net/http"
	"strconv"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/kindred-id/kindred/internal/jsontext"
)

// answer answers with a document.BatchAnswer, or with a problem that has the same members if not one event can be read:
//
//	{"success":true,"accepted":2,"duplicates":0,"without_identifier":1,
//	 "skipped":3,                                                              records of which a mapping made no event, if any
//	 "unidentified":[{"index":2,"messageId":"m3","code":"no_identifier","message":"…","hint":"…"}],                   if any
//	 "rejected":[{"index":1,"messageId":"m2","code":"bad_money","field":"properties.revenue","message":"…","hint":"…"}],
//	 "dropped":[{"index":0,"messageId":"m1","code":"bad_type","field":"properties","message":"…","hint":"…"}],   if any
//	 "results":[{"index":0,"messageId":"m1","status":"accepted"},…],   with ?results=all
//	 "warnings":{"blocked":3,"properties":1}}                           if any
//
// Fields left out of events that were taken have an entry each up to a bound, and the others share one entry of dropped with
// a "count".
func (in *request) answer(w http.ResponseWriter, verbose bool) *route.Problem {
	verdicts, counts := in.Verdicts(), in.Tally()
	body := make([]byte, 0, 256)
	body = strconv.AppendInt(append(body, `,"accepted":`...), int64(counts[ingest.Accepted]), 10)
	body = strconv.AppendInt(append(body, `,"duplicates":`...), int64(counts[ingest.Duplicate]), 10)
	body = strconv.AppendInt(append(body, `,"without_identifier":`...), int64(counts[ingest.WithoutIdentifier]), 10)
	if in.mapped != nil && in.mapped.skipped > 0 {
		body = strconv.AppendInt(append(body, `,"skipped":`...), int64(in.mapped.skipped), 10)
	}
	body = in.appendUnidentified(body)
	body = in.appendRejected(append(body, `,"rejected":`...))
	body = in.appendDropped(body)
	if verbose {
		body = in.appendResults(append(body, `,"results":`...))
	}
	body = in.appendWarnings(body)
	if n := counts[ingest.Rejected]; n > 0 && n == len(verdicts) {
		return in.unreadable(body)
	}
	return route.SendJSON(w, append(append([]byte(`{"success":true`), body...), "}\n"...))
}

// unreadable says that not one event can be read, with more members beside. REQUIRES: all were rejected, at least one.
func (in *request) unreadable(more []byte) *route.Problem {
	n, first := len(in.Verdicts()), in.Verdicts()[0].Rejection
	p := route.NewProblem(document.CodeNoReadableEvent, "%d of %d rejected; the first: %v", n, n, first).WithHint(first.Hint)
	p.More = more
	return p
}

// appendRejected appends the events that were not taken, in the order of the request: rejected ones and quarantined
// ones.
func (in *request) appendRejected(dst []byte) []byte {
	dst = append(dst, '[')
	first := true
	for i := range in.Verdicts() {
		v := &in.Verdicts()[i]
		if v.Status != ingest.Rejected && v.Status != ingest.Quarantined {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = in.appendIndex(dst, i, v.ID)
		dst = append(appendReason(dst, v.Rejection), '}')
	}
	return append(dst, ']')
}

// unidentifiedMax bounds how many events without an identifier an answer names: the others are in the count.
const unidentifiedMax = 100

// appendUnidentified appends the first events without an identifier, if any.
func (in *request) appendUnidentified(dst []byte) []byte {
	listed := 0
	for i := range in.Verdicts() {
		v := &in.Verdicts()[i]
		if v.Status != ingest.WithoutIdentifier {
			continue
		}
		if listed == unidentifiedMax {
			break
		}
		if listed++; listed == 1 {
			dst = append(dst, `,"unidentified":[`...)
		} else {
			dst = append(dst, ',')
		}
		dst = append(appendReason(in.appendIndex(dst, i, v.ID), v.Rejection), '}')
	}
	if listed == 0 {
		return dst
	}
	return append(dst, ']')
}

// appendDropped appends the fields left out of events, if any.
func (in *request) appendDropped(dst []byte) []byte {
	rest := uint64(0)
	for _, n := range in.Decoder.Stats().Fields {
		rest += n
	}
	if rest == 0 {
		return dst
	}
	dst = append(dst, `,"dropped":[`...)
	for i := range in.dropped {
		drop := &in.dropped[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = in.appendIndex(dst, drop.index, in.Verdicts()[drop.index].ID)
		dst = append(appendReason(dst, &segment.Rejection{Code: drop.Code, Field: drop.Field, Message: drop.Message, Hint: drop.Hint}), '}')
	}
	if rest -= uint64(len(in.dropped)); rest > 0 {
		if len(in.dropped) > 0 {
			dst = append(dst, ',')
		}
		dst = append(strconv.AppendUint(append(dst, `{"count":`...), rest, 10), '}')
	}
	return append(dst, ']')
}

// appendResults appends an entry for each event, in the order of the request.
func (in *request) appendResults(dst []byte) []byte {
	dst = append(dst, '[')
	for i := range in.Verdicts() {
		v := &in.Verdicts()[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = in.appendIndex(dst, i, v.ID)
		dst = append(append(append(dst, `,"status":"`...), statusNames[v.Status]...), `"}`...)
	}
	return append(dst, ']')
}

// appendIndex appends an object without its end: the event's place in the request, from 0, that of the record it was made
// of, and its message id or null.
func (in *request) appendIndex(dst []byte, index int, id []byte) []byte {
	dst = strconv.AppendInt(append(dst, `{"index":`...), int64(index), 10)
	if in.mapped != nil {
		at := in.mapped.places[index]
		if at.Line > 0 {
			dst = strconv.AppendInt(append(dst, `,"line":`...), at.Line, 10)
		}
		if at.Record > 0 {
			dst = strconv.AppendInt(append(dst, `,"record":`...), at.Record, 10)
		}
	}
	if id == nil {
		return append(dst, `,"messageId":null`...)
	}
	return appendString(append(dst, `,"messageId":`...), id)
}

func appendReason(dst []byte, r *segment.Rejection) []byte {
	dst = appendString(append(dst, `,"code":`...), string(r.Code))
	if r.Field != "" {
		dst = appendString(append(dst, `,"field":`...), r.Field)
	}
	dst = appendString(append(dst, `,"message":`...), r.Message)
	return appendString(append(dst, `,"hint":`...), r.Hint)
}

// appendWarnings appends the counts of what was left out of accepted events, if any.
func (in *request) appendWarnings(dst []byte) []byte {
	stats := in.Decoder.Stats()
	first := true
	for _, warning := range [...]struct {
		name  string
		count uint64
	}{
		{"empty", stats.Empty},
		{"blocked", stats.Blocked},
		{"invalid", stats.Invalid},
		{"too_long", stats.TooLong},
		{"unknown_namespaces", stats.UnknownNamespaces},
		{"excess_traits", stats.ExcessTraits},
		{"clamped", stats.Clamped},
		{"corrected", stats.Corrected},
		{"no_zone", stats.NoZone},
		{"epoch_units", stats.EpochUnits},
		{"mended", stats.Mended},
		{segment.LargeEvents, uint64(in.large)},
	} {
		if warning.count == 0 {
			continue
		}
		if first {
			dst = append(dst, `,"warnings":{`...)
		} else {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(append(dst, '"'), warning.name...), `":`...)
		dst = strconv.AppendUint(dst, warning.count, 10)
	}
	if fields := stats.Fields.AppendJSON(nil); len(fields) > 0 {
		if first {
			dst = append(append(dst, `,"warnings":{`...), fields[1:]...)
		} else {
			dst = append(dst, fields...)
		}
		first = false
	}
	if first {
		return dst
	}
	return append(dst, '}')
}

func appendString[T string | []byte](dst []byte, s T) []byte { return jsontext.AppendString(dst, s) }
