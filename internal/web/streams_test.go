package web

import (
	"strconv"
	"testing"
)

func closed(s *stream) bool {
	select {
	case <-s.over:
		return true
	default:
		return false
	}
}

// A session, and an address, has only so many streams: the oldest ends for the newest, those of others go on.
func TestSec9StreamsOfSessionAndAddress(t *testing.T) {
	var s streams
	other := s.begin("other", "203.0.113.9")
	var mine []*stream
	for range streamsOfSession + 2 {
		mine = append(mine, s.begin("mine", "203.0.113.1"))
	}
	for i, one := range mine {
		if closed(one) != (i < 2) {
			t.Errorf("stream %d of a session: over %v", i, closed(one))
		}
	}
	s.end(mine[2])
	if s.begin("mine", ""); closed(mine[3]) {
		t.Error("one ended by itself, and another was ended for the next all the same")
	}
	var office []*stream
	for i := range streamsOfAddress + 1 {
		office = append(office, s.begin(strconv.Itoa(i), "203.0.113.2"))
	}
	if !closed(office[0]) || closed(office[1]) || closed(other) {
		t.Errorf("of an address: %v %v, another's %v", closed(office[0]), closed(office[1]), closed(other))
	}
	for i := range streamsOfAddress + 1 { // without an address only sessions count
		if one := s.begin("loopback "+strconv.Itoa(i), ""); closed(one) {
			t.Fatalf("stream %d", i)
		}
	}
}

// A process has only so many, and gives back what ended.
func TestSec9StreamsOfProcess(t *testing.T) {
	var s streams
	var all []*stream
	for i := range maxStreams {
		all = append(all, s.begin(strconv.Itoa(i), ""))
	}
	if s.begin("one more", "") != nil {
		t.Error("a stream beyond the bound")
	}
	for _, one := range all {
		s.end(one)
	}
	if s.open != 0 || len(s.of) != 0 || s.begin("later", "") == nil {
		t.Errorf("%d open, %d kept", s.open, len(s.of))
	}
}
