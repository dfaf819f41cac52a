package ca

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
)

// maxCachedLists bounds the bytes of lists held for readers: two of a million entries, or very many
// small ones.
const maxCachedLists = 128 << 20

type listKey struct {
	ca, shard string
	delta     bool
}

// listCache shares the bytes of published lists among readers. Its zero value is empty and ready.
type listCache struct {
	mu   sync.Mutex
	all  map[listKey]*List
	size int64
}

// get reads which list is the newest, and its bytes only when they are not held already.
func (c *listCache) get(ctx context.Context, s *Service, ca, shard string, delta bool) (*List, error) {
	key := listKey{ca, shard, delta}
	for {
		var head ListRecord
		err := s.store.View(ctx, func(tx Tx) (err error) {
			head, err = tx.Head(ctx, ca, shard, delta)
			return err
		})
		if err != nil {
			return nil, err
		}
		if l, ok := c.find(key, head.Number); ok {
			return l, nil
		}
		l, err := c.read(ctx, s, key, head)
		if !errors.Is(err, errFollowed) {
			return l, err
		}
	}
}

// errFollowed: the list was replaced between the look at its number and the reading.
var errFollowed = errors.New("the list has been followed by another")

// read reads the bytes of a list, one reader at a time.
func (c *listCache) read(ctx context.Context, s *Service, key listKey, head ListRecord) (*List, error) {
	defer s.orders.Take("crl:" + key.ca + "/" + key.shard)()
	if l, ok := c.find(key, head.Number); ok {
		return l, nil
	}
	var raw []byte
	err := s.store.View(ctx, func(tx Tx) (err error) {
		raw, err = tx.ListBytes(ctx, head)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil, errFollowed
	}
	if err != nil {
		return nil, err
	}
	l := &List{Raw: raw, Sum: sha256.Sum256(raw), Number: head.Number, ThisUpdate: head.ThisUpdate, NextUpdate: head.NextUpdate}
	c.keep(key, l)
	return l, nil
}

func (c *listCache) find(key listKey, number int64) (*List, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l, ok := c.all[key]
	return l, ok && l.Number == number
}

func (c *listCache) keep(key listKey, l *List) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.all[key]; ok {
		c.size -= int64(len(old.Raw))
		delete(c.all, key)
	}
	if c.all == nil || c.size+int64(len(l.Raw)) > maxCachedLists {
		c.all, c.size = map[listKey]*List{}, 0 // begun anew: rare, and cheaper than order
	}
	c.all[key] = l
	c.size += int64(len(l.Raw))
}
