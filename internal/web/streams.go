package web

import (
	"slices"
	"sync"

	"senim/internal/limit"
)

const (
	// maxStreams bounds the streams of a process; a page that has none asks again later, or its person presses the button.
	maxStreams = 1000
	// streamsOfSession and streamsOfAddress bound those of one browser, which has a few windows, and of one address, which
	// may stand for an office. Beyond them the oldest ends: its page asks again.
	streamsOfSession, streamsOfAddress = 4, 32
)

// streams are the open ones of a process. Safe for concurrent use.
type streams struct {
	mu   sync.Mutex
	of   map[string][]*stream // under mu: by session and by address, the oldest first
	open int                  // under mu
}

// stream is one; over is closed when a newer one has taken its place.
type stream struct {
	keys []string
	over chan struct{}
}

// begin opens a stream of a session from an address ("": not counted), or gives nil when the process has too many.
func (s *streams) begin(sid, address string) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open >= maxStreams {
		return nil
	}
	one := &stream{over: make(chan struct{})}
	s.open++
	s.join(one, "session "+sid, streamsOfSession)
	if address != "" {
		s.join(one, "address "+address, streamsOfAddress)
	}
	return one
}

// join counts a stream under a key, and ends the oldest beyond so many. The caller holds mu.
func (s *streams) join(one *stream, key string, most int) {
	if s.of == nil {
		s.of = map[string][]*stream{}
	}
	one.keys = append(one.keys, key)
	s.of[key] = append(s.of[key], one)
	if all := s.of[key]; len(all) > most {
		s.drop(all[0]) // from all its keys: nobody finds it to close it again
		close(all[0].over)
	}
}

// end takes a stream out.
func (s *streams) end(one *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	s.drop(one)
}

// drop counts a stream no more. The caller holds mu.
func (s *streams) drop(one *stream) {
	for _, key := range one.keys {
		s.of[key] = slices.DeleteFunc(slices.Clone(s.of[key]), func(o *stream) bool { return o == one })
		if len(s.of[key]) == 0 {
			delete(s.of, key)
		}
	}
}

// streamOf opens the stream of a request.
func (r *Request) streamOf() *stream {
	address, counted := limit.Visitor(r.Request, r.Site().Proxies)
	if !counted {
		address = ""
	}
	return r.shell.streams.begin(r.sid, address)
}
