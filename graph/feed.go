package graph

// FeedKind is what an entry of the change feed tells.
type FeedKind uint8

// The feed's kinds.
const (
	FeedCreated FeedKind = 1 + iota // ID is new, or known again; Delta is all of it
	FeedLinked                      // Name came to ID, because of Cause; Delta of another entry has it, too
	FeedMerged                      // Others are one with ID now, because of Cause, and are no more
	FeedSplit                       // ID became Others; where it is not among them, it is no more
	FeedUpdated                     // Delta is what changed of ID
	FeedErased                      // ID is no more, and nothing is left of it
	FeedGeneric                     // Name, whose key is ID, is a generic value and joins nobody any more
	FeedEntered                     // ID is in Audience from now on, because of Why
	FeedExited                      // ID is in Audience no more, because of Why

	feedKindEnd
)

var feedKindNames = [feedKindEnd]string{"", "created", "linked", "merged", "split", "updated", "erased", "generic", "entered", "exited"}

func (k FeedKind) String() string {
	if k < feedKindEnd {
		return feedKindNames[k]
	}
	return ""
}

// ParseFeedKind reads a kind by its name; 0 when there is no such kind.
func ParseFeedKind(name string) FeedKind {
	for k := FeedCreated; k < feedKindEnd; k++ {
		if name == feedKindNames[k] {
			return k
		}
	}
	return 0
}

// FeedEntry is one entry of the change feed. Which fields count depends on Kind. A reader that takes the
// entries of a feed in causal order from its start, and does what each says, holds every identity that
// has an event, as it stands:
//
//   - created, updated: Delta.Apply, to a new profile where ID is not known
//   - merged: forget Others
//   - split: forget ID, unless it is among Others
//   - erased: forget ID
//   - entered, exited: ID is in Audience, or no more. When others are merged into an identity, it is in what they were in;
//     when it is split, what becomes of it is in nothing, unless it is among Others
//
// An identity of which all is told, twice, is the same one: evidence that was on its way between two
// shards has made it whole.
type FeedEntry struct {
	Kind   FeedKind
	ID     NodeKey // of the identity
	Delta  Delta
	Others []NodeKey // in descending rank
	Name   NodeName
	Cause  Cause

	Audience string // its key
	Why      AudienceCause
}

// AppendFeed appends what the feed tells of a component's step.
func (d *Diff) AppendFeed(entries []FeedEntry) []FeedEntry {
	if d.Told != nil {
		d = d.Told
	}
	for i := range d.Splits {
		s := &d.Splits[i]
		entries = append(entries, FeedEntry{Kind: FeedSplit, ID: s.ID, Others: s.Into})
	}
	for i := range d.Merges {
		if m := &d.Merges[i]; len(m.Gone) > 0 {
			entries = append(entries, FeedEntry{Kind: FeedMerged, ID: m.Into.ID(), Others: m.Gone, Cause: m.Cause})
		}
	}
	for i := range d.Updates {
		u := &d.Updates[i]
		for j := range u.Joined {
			entries = append(entries, FeedEntry{Kind: FeedLinked, ID: u.ID, Name: u.Joined[j].Name, Cause: u.Joined[j].Cause})
		}
		kind := FeedUpdated
		if u.New {
			kind = FeedCreated
		}
		entries = append(entries, FeedEntry{Kind: kind, ID: u.ID, Delta: u.Delta})
	}
	return entries
}
