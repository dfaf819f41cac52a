package algid

import (
	"crypto"
	"sync"

	"senim/gost"
)

// Bounds of [PreparedKeys]. A table costs about as much as eight verifications, so a key that has
// verified eight times gets one: at worst the work is doubled, however the keys come.
const (
	preparedAfter = 8
	maxPrepared   = 32  // tables, up to 350 KiB each
	maxCounted    = 256 // keys that are counted, those with tables included
)

// PreparedKeys gives GOST keys that verify often, those of authorities and responders, a table to
// verify faster with (see [gost.PublicKey.Prepare]). It holds public keys alone and is bounded: 32
// tables, some 11 MiB; beyond, the key that was not used for longest loses its own. Ask it only for
// keys that were vouched for: strangers' keys would push the authorities' out.
//
// The zero value is empty and ready. It is safe for concurrent use and must not be copied.
type PreparedKeys struct {
	mu sync.Mutex
	// Under mu.
	keys   map[keyName]*countedKey
	tables int    // keys with a table, ready or being made
	clock  uint64 // calls so far
}

type keyName struct {
	curve *gost.Curve
	xy    string
}

type countedKey struct {
	uses  int
	last  uint64          // clock of the last use
	table bool            // counted in tables
	ready *gost.PublicKey // nil until the table is made
}

// Use returns the key to verify one signature with: the same key, and in place of a GOST key that
// was asked for often its prepared form. The call that makes a table takes some milliseconds; calls
// meanwhile get the key as it is. RSA and unknown keys come back untouched.
func (p *PreparedKeys) Use(pub crypto.PublicKey) crypto.PublicKey {
	switch k := pub.(type) {
	case *gost.PublicKey:
		return p.use(k)
	case *GTPublicKey:
		if k != nil {
			return &GTPublicKey{Point: p.use(k.Point)}
		}
	}
	return pub
}

// Ready returns the prepared form of a key if there is one, else the key. It counts no use, so it may be asked for keys
// of strangers; nil is an empty cache.
func (p *PreparedKeys) Ready(pub crypto.PublicKey) crypto.PublicKey {
	k, ok := pub.(*gost.PublicKey)
	if p == nil || !ok || k.Curve() == nil {
		return pub
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.keys[keyName{k.Curve(), string(k.Bytes())}]; c != nil && c.ready != nil {
		return c.ready
	}
	return pub
}

func (p *PreparedKeys) use(k *gost.PublicKey) *gost.PublicKey {
	if k.Curve() == nil {
		return k
	}
	counted, ready, due := p.count(keyName{k.Curve(), string(k.Bytes())})
	if due {
		ready = k.Prepare() // outside the lock: nobody waits for it
		p.mu.Lock()
		counted.ready = ready // lost, and no harm, when the key was pushed out meanwhile
		p.mu.Unlock()
	}
	if ready == nil {
		return k
	}
	return ready
}

// count notes one use. It returns the prepared key when there is one, and whether the caller is due
// to make it.
func (p *PreparedKeys) count(name keyName) (c *countedKey, ready *gost.PublicKey, due bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clock++
	c = p.keys[name]
	if c == nil {
		if len(p.keys) == maxCounted {
			p.forget(func(*countedKey) bool { return true })
		}
		if p.keys == nil {
			p.keys = map[keyName]*countedKey{}
		}
		c = new(countedKey)
		p.keys[name] = c
	}
	c.uses, c.last = c.uses+1, p.clock
	if due = c.uses > preparedAfter && !c.table; due {
		if p.tables == maxPrepared {
			p.forget(func(o *countedKey) bool { return o.table })
		}
		c.table = true
		p.tables++
	}
	return c, c.ready, due
}

// forget drops the key that was not used for longest among those that fit; it has to begin anew.
func (p *PreparedKeys) forget(fits func(*countedKey) bool) {
	var name keyName
	var oldest *countedKey
	for n, c := range p.keys {
		if fits(c) && (oldest == nil || c.last < oldest.last) {
			name, oldest = n, c
		}
	}
	if oldest.table {
		p.tables--
	}
	delete(p.keys, name)
}
