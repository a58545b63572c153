package workload

// Pairs returns two streams: the first makes people of one cookie and one device each; the second joins two of them at every
// event, and each only once. The second costs what a merge of two identities costs.
func Pairs(seed uint64, merges int) (people, joins []byte) {
	var number uint64
	line := func(dst []byte, a, b int) []byte {
		number++
		v := visit{number: number, browser: uint64(a) + 1, device: uint64(b) + 1, person: uint64(a)}
		return append(v.append(dst, seed), '\n')
	}
	for i := range 2 * merges {
		people = line(people, i, i)
	}
	for i := range merges {
		joins = line(joins, 2*i, 2*i+1)
	}
	return people, joins
}

// Wide returns a stream of people with a number of identifiers each, an even number of events each, and no merge but that of
// a new identifier: every event has the person's first device and one of its cookies.
func Wide(seed uint64, events, identifiers int) []byte {
	people := max(1, events/(4*identifiers))
	rng := dice(seed)
	var data []byte
	for n := range events {
		person := rng.IntN(people)
		v := visit{
			number: uint64(n) + 1, device: uint64(person) + 1, person: uint64(person),
			browser: uint64(person*max(1, identifiers-1)+rng.IntN(max(1, identifiers-1))) + 1,
		}
		data = append(v.append(data, seed), '\n')
	}
	return data
}

// Joined returns a stream in which a share of the events joins two people; the others go to one person each. People have
// four events and are joined once at most.
func Joined(seed uint64, events int, share float64) []byte {
	people := max(2, events/4)
	rng := dice(seed)
	var data []byte
	joined := 0
	for n := range events {
		person := rng.IntN(people)
		v := visit{number: uint64(n) + 1, browser: uint64(person) + 1, device: uint64(person) + 1, person: uint64(person)}
		if n > events/4 && rng.Float64() < share && 2*joined+1 < people {
			v.browser, v.device = uint64(2*joined)+1, uint64(2*joined)+2
			joined++
		}
		data = append(v.append(data, seed), '\n')
	}
	return data
}

// First returns one event of each of a number of people, as Even has them: data that lies on disk before a measurement.
func First(seed uint64, from, to int) []byte {
	var data []byte
	for person := from; person < to; person++ {
		v := visit{number: uint64(person) + 1, browser: uint64(person), user: uint64(person) + 1, person: uint64(person)}
		data = append(v.append(data, seed), '\n')
	}
	return data
}

// Later returns events of people at random, of a number of people that First has made.
func Later(seed uint64, people, events int) []byte {
	rng := dice(seed ^ 0x1a7e)
	var data []byte
	for n := range events {
		person := rng.IntN(people)
		v := visit{number: uint64(people+n) + 1, browser: uint64(person), user: uint64(person) + 1, person: uint64(person)}
		data = append(v.append(data, seed), '\n')
	}
	return data
}
