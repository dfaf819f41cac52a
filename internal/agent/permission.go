package agent

import (
	"sort"
	"time"
)

// Permission is what a site may do without being asked about again.
type Permission string

// The permissions. A site that asks for the first time is said to; one that was answered once may open
// windows; for one that is blocked no window opens until the person takes that back.
const (
	PermissionAsk     Permission = "ask"
	PermissionAllowed Permission = "allowed"
	PermissionBlocked Permission = "blocked"
)

// remembered tells whether anything is kept of a site: nothing of one nobody can vouch for, nor of a program,
// nor of the person himself.
func (s site) remembered() bool { return !s.red() && s.Class != "program" && !s.own() }

// own tells the person's own act from what a site or a program asks: nobody can be sent away then.
func (s site) own() bool { return s.Class == "own" }

// permission of a site now. A site blocked for ten minutes is not blocked here: see [Agent.blocked].
func (a *Agent) permission(origin string) (Permission, savedSite) {
	s, known := a.settings.get().Sites[origin]
	switch {
	case !known:
		return PermissionAsk, s
	case s.Blocked:
		return PermissionBlocked, s
	}
	return PermissionAllowed, s
}

// maxSites bounds the sites remembered; the one not seen for longest goes first, a blocked one last.
const maxSites = 500

// trusted notes that the person answered a site.
func (a *Agent) trusted(s site) {
	if !s.remembered() {
		return
	}
	err := a.settings.change(func(c *saved) {
		now, site := a.now(), c.Sites[s.Origin]
		if site.Since.IsZero() {
			site.Since = now
		}
		site.Last, site.Count = now, site.Count+1
		c.Sites[s.Origin] = site
		forgetOldest(c)
	})
	if err != nil {
		a.log.Error("settings", "err", err)
	}
}

func forgetOldest(c *saved) {
	for len(c.Sites) > maxSites {
		oldest := ""
		for origin, s := range c.Sites {
			if o := c.Sites[oldest]; oldest == "" || o.Blocked && !s.Blocked || o.Blocked == s.Blocked && s.Last.Before(o.Last) {
				oldest = origin
			}
		}
		delete(c.Sites, oldest)
	}
}

// permit sets what a site may do; asking again forgets it.
func (a *Agent) permit(origin string, p Permission) error {
	err := a.settings.change(func(c *saved) {
		switch s := c.Sites[origin]; p {
		case PermissionAsk:
			delete(c.Sites, origin)
		case PermissionBlocked, PermissionAllowed:
			s.Blocked = p == PermissionBlocked
			if s.Since.IsZero() {
				s.Since = a.now()
			}
			c.Sites[origin] = s
		}
	})
	if err != nil {
		return err
	}
	a.unpause(origin) // also the ten minutes
	return nil
}

// unpause listens to an asker again before its ten minutes are over.
func (a *Agent) unpause(key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.origins[key]; s != nil {
		s.blocked, s.cancels = time.Time{}, nil
	}
}

// sites lists the origins remembered, and all askers blocked for a while, by their keys and in their order.
func (a *Agent) sites() []string {
	known := map[string]bool{}
	for origin := range a.settings.get().Sites {
		known[origin] = true
	}
	a.mu.Lock()
	for origin, s := range a.origins {
		if a.now().Before(s.blocked) {
			known[origin] = true
		}
	}
	a.mu.Unlock()
	list := make([]string, 0, len(known))
	for origin := range known {
		list = append(list, origin)
	}
	sort.Strings(list)
	return list
}
