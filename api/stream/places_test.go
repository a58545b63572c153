package stream

import "testing"

// A key takes half of the places at most; an open server knows no callers, and bounds all of them together.
func TestPlaces(t *testing.T) {
	p := places{most: 4, of: map[string]int{}}
	first, second := p.take("a"), p.take("a")
	if first == nil || second == nil || p.take("a") != nil {
		t.Fatal("a key takes half of 4")
	}
	third := p.take("b")
	if third == nil || p.take("b") == nil || p.take("c") != nil {
		t.Fatal("there are 4")
	}
	first()
	if p.take("b") != nil || p.take("a") == nil {
		t.Fatal("a place is free again, for one with less than half")
	}
	second()
	third()
	if len(p.of) != 2 || p.taken != 2 {
		t.Fatal(p.of)
	}
	open := places{most: 1, of: map[string]int{}}
	leave := open.take("")
	if leave == nil || open.take("") != nil {
		t.Fatal("one place, for anybody")
	}
	leave()
	if len(open.of) != 0 || open.take("key") == nil {
		t.Fatal("nothing is left over")
	}
}
