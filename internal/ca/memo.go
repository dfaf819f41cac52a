package ca

import "sync/atomic"

// Memo keeps beside a value what somebody makes of it, so that it is made once. There is room for
// one thing. Its zero value is empty and ready.
type Memo struct{ kept atomic.Pointer[any] }

// Do returns what f made; f may be called by several at the same time, and one result is kept.
func (m *Memo) Do(f func() any) any {
	if kept := m.kept.Load(); kept != nil {
		return *kept
	}
	made := f()
	m.kept.CompareAndSwap(nil, &made)
	return *m.kept.Load()
}
