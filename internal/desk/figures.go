package desk

import (
	"context"
	"errors"
	"sync"
	"time"

	"senim/internal/ra"
)

// Figures walks what the authority has issued, by the day it ends: [from, to).
type Figures interface {
	Expiring(ctx context.Context, from, to time.Time, f func(ra.Key) error) error
}

// weeks is how far the board looks ahead; walked bounds how many certificates it counts, and fresh is
// how long it keeps what it counted.
const (
	weeks  = 8
	walked = 200_000
	fresh  = 10 * time.Minute
)

// counted is what the board says of certificates.
type counted struct {
	at time.Time
	// Weeks are keys that end in each of the coming weeks and have no successor.
	Weeks []week
	// Lapsed ended in the last 30 days without one.
	Lapsed int
	// More: there are more than were counted.
	More bool
}

type week struct {
	From time.Time
	N    int
}

// figuresCache keeps the last count, so that a board looked at often costs little.
type figuresCache struct {
	mu   sync.Mutex
	last counted
}

var errEnough = errors.New("enough was counted")

// count gives the figures, counting anew when they are old.
func (d *desk) count(ctx context.Context) (counted, error) {
	d.cache.mu.Lock()
	defer d.cache.mu.Unlock()
	now := d.c.Now()
	if age := now.Sub(d.cache.last.at); !d.cache.last.at.IsZero() && age >= 0 && age < fresh {
		return d.cache.last, nil
	}
	c := counted{at: now, Weeks: make([]week, weeks)}
	for i := range c.Weeks {
		c.Weeks[i].From = now.AddDate(0, 0, 7*i)
	}
	seen := 0
	err := d.c.Figures.Expiring(ctx, now.AddDate(0, 0, -30), now.AddDate(0, 0, 7*weeks), func(k ra.Key) error {
		if seen++; seen > walked {
			return errEnough
		}
		if k.ReplacedBy != "" || !k.RevokedAt.IsZero() || k.IIN == "" {
			return nil
		}
		if k.NotAfter.Before(now) {
			c.Lapsed++
			return nil
		}
		if i := int(k.NotAfter.Sub(now) / (7 * 24 * time.Hour)); i < weeks {
			c.Weeks[i].N++
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		c.More, err = true, nil
	}
	if err == nil {
		d.cache.last = c
	}
	return c, err
}
