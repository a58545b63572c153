package main

import (
	"fmt"
	"regexp/syntax"
)

// A machine runs an expression over numbers of which only the first digits are known.
//
// It keeps every thread that some digits after those could keep alive. So a length that it does not give is the length
// of no match, whatever these digits are.
type machine struct {
	prog  *syntax.Prog
	group uint32 // what opens the last group has this argument; 0 without one
}

// lengths is a set of lengths of digits, a bit for each.
type lengths uint32

func (l lengths) has(n int) bool { return l&(1<<n) != 0 }

// below are the members of the set that are less than n.
func (l lengths) below(n int) lengths { return l & (1<<n - 1) }

// newMachine compiles an expression, as matched from the start of a text.
func newMachine(pattern string) (*machine, error) {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	last := tree.MaxCap()
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	return &machine{prog: prog, group: uint32(2 * last)}, nil
}

// matches are the lengths of the matches that numbers may have which begin with the digits given.
type matches struct {
	inner, innerGroup lengths // within a number, without and with the last group
	whole, wholeGroup lengths // of the number as a whole
	open              bool    // more digits would tell more
}

// of are the lengths of matches in a number of n digits, without and with the last group.
func (m matches) of(n int) (without, within lengths) {
	return m.inner.below(n) | m.whole&(1<<n), m.innerGroup.below(n) | m.wholeGroup&(1<<n)
}

// match finds the matches in the numbers that begin with prefix.
func (m *machine) match(prefix string) (found matches) {
	now := m.enter(m.start(), thread{pc: m.prog.Start}, 0)
	for at := 0; at <= digitsMax && len(now.list) > 0; at++ {
		found.open = found.open || at == len(prefix) && now.alive(m)
		for _, t := range now.list {
			if m.prog.Inst[t.pc].Op == syntax.InstMatch {
				found.add(t, at)
			}
		}
		next := m.start()
		for _, t := range now.list {
			if in := &m.prog.Inst[t.pc]; !t.end && takes(in, prefix, at) {
				next = m.enter(next, thread{pc: int(in.Out), group: t.group}, at+1)
			}
		}
		now = next
	}
	return found
}

func (m *matches) add(t thread, at int) {
	if t.group {
		m.wholeGroup |= 1 << at
	} else {
		m.whole |= 1 << at
	}
	switch {
	case t.end:
	case t.group:
		m.innerGroup |= 1 << at
	default:
		m.inner |= 1 << at
	}
}

// thread is a place in the program.
type thread struct {
	pc    int
	group bool // the last group was entered on the way
	end   bool // the number ends here
}

// threads is a set of threads.
type threads struct {
	list []thread
	seen []uint8 // by place, a bit for each form
}

func (m *machine) start() threads { return threads{seen: make([]uint8, len(m.prog.Inst))} }

// alive reports whether a thread waits for another digit.
func (s threads) alive(m *machine) bool {
	for _, t := range s.list {
		switch m.prog.Inst[t.pc].Op {
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			if !t.end {
				return true
			}
		}
	}
	return false
}

// takes reports whether an instruction takes the digit at a place; any digit where it is not known.
func takes(in *syntax.Inst, prefix string, at int) bool {
	switch in.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
	default:
		return false
	}
	if at < len(prefix) {
		return in.MatchRune(rune(prefix[at]))
	}
	for r := '0'; r <= '9'; r++ {
		if in.MatchRune(r) {
			return true
		}
	}
	return false
}

// enter adds a thread and all that follow from it without taking a digit.
func (m *machine) enter(set threads, t thread, at int) threads {
	form := uint8(1)
	if t.group {
		form <<= 1
	}
	if t.end {
		form <<= 2
	}
	if set.seen[t.pc]&form != 0 {
		return set
	}
	set.seen[t.pc] |= form
	set.list = append(set.list, t)
	in := &m.prog.Inst[t.pc]
	next := t
	next.pc = int(in.Out)
	switch in.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		set = m.enter(set, next, at)
		next.pc = int(in.Arg)
		set = m.enter(set, next, at)
	case syntax.InstNop:
		set = m.enter(set, next, at)
	case syntax.InstCapture:
		next.group = t.group || m.group > 0 && in.Arg == m.group
		set = m.enter(set, next, at)
	case syntax.InstEmptyWidth:
		switch op := syntax.EmptyOp(in.Arg); {
		case op == syntax.EmptyEndText:
			next.end = true
		case op != syntax.EmptyBeginText:
			panic(fmt.Sprintf("assertion %d in an expression about numbers", op)) // it would have to be thought about
		case at > 0:
			return set
		}
		set = m.enter(set, next, at)
	}
	return set
}
