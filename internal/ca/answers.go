package ca

import (
	"sync"
	"time"

	"senim/algid"
)

// question is what a cached answer is found by.
type question struct {
	ca     string
	hash   algid.Hash
	serial string
}

type cached struct {
	answer *Answer
	status status
	signer string // fingerprint of the responder's certificate
	made   time.Time
}

// answers keeps signed answers for a while. Its zero value is empty and ready.
type answers struct {
	mu  sync.Mutex
	all map[question]cached
}

func (c *answers) find(q question, st status, r *responder, now time.Time) (*Answer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old, ok := c.all[q]
	if !ok || old.status != st || old.signer != r.cert.SerialHex() || now.Before(old.made) || now.Sub(old.made) > answerReuse {
		return nil, false
	}
	return old.answer, true
}

func (c *answers) keep(q question, st status, r *responder, a *Answer, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil || len(c.all) >= maxAnswers {
		c.all = map[question]cached{} // begun anew: rare, and cheaper than order
	}
	c.all[q] = cached{a, st, r.cert.SerialHex(), now}
}
