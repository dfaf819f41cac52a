package main

import (
	"crypto/rand"
	"runtime"
	"time"
)

// experiment is one question. prepare makes an input of one class, in fresh memory for both classes
// alike, and gives what is timed with it.
type experiment struct {
	name, kind string
	prepare    func(fixed bool) (func() error, error)
}

const (
	batch = 500
	warm  = 20 // first measurements of a batch, after the collector ran, that are dropped
)

// measure times n operations in batches: inputs of both classes are made in random order first, then
// memory is tidied, then they are timed one by one.
func measure(e experiment, n int) (*sample, error) {
	s := &sample{}
	classes := make([]byte, batch)
	operations := make([]func() error, batch)
	times := make([]time.Duration, batch)
	for len(s.times) < n {
		rand.Read(classes)
		for i := range operations {
			var err error
			if operations[i], err = e.prepare(classes[i]&1 == 0); err != nil {
				return nil, err
			}
		}
		runtime.GC()
		for i, op := range operations {
			begin := time.Now()
			err := op()
			times[i] = time.Since(begin)
			if err != nil {
				return nil, err
			}
		}
		for i := warm; i < batch; i++ {
			s.add(classes[i]&1 == 0, float64(times[i]))
		}
	}
	return s, nil
}
