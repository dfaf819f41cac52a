package agent

import (
	"sync"
	"time"
)

// How long pages have to wait until the agent's page opens for them again. Each opening doubles it, of the
// site and of all sites together, until the person does something.
const (
	restAll    = 10 * time.Second
	restSite   = time.Minute
	restMost   = time.Hour
	maxResting = 256 // sites; more rest only as all together do
)

// quiet says when a page may open the agent's page: once for each act of the person. A site that asks again and
// again waits longer each time, and so do all sites together, since one that is hostile has many names.
type quiet struct {
	mu    sync.Mutex
	all   rest            // under mu
	sites map[string]rest // under mu, by origin
}

type rest struct {
	until time.Time
	next  time.Duration
}

func (r rest) after(now time.Time, first time.Duration) rest {
	next := min(max(first, r.next), restMost)
	return rest{now.Add(next), 2 * next}
}

// opens tells whether the page opens for a site now, and counts it.
func (q *quiet) opens(origin string, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if now.Before(q.all.until) || now.Before(q.sites[origin].until) {
		return false
	}
	for site, r := range q.sites { // long forgotten
		if now.Sub(r.until) > restMost {
			delete(q.sites, site)
		}
	}
	q.all = q.all.after(now, restAll)
	if r, known := q.sites[origin]; known || len(q.sites) < maxResting {
		if q.sites == nil {
			q.sites = map[string]rest{}
		}
		q.sites[origin] = r.after(now, restSite)
	}
	return true
}

// acted notes that the person answered a site, or did something in the page it had opened.
func (q *quiet) acted(origin string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all = rest{}
	delete(q.sites, origin)
}
