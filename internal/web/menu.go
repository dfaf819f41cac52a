package web

// part is one entry of the header's menu: a link of its own, or several under a name.
type part struct {
	name  string
	links []Link
}

// current reports whether one is on a page of the part.
func (p part) current() bool {
	for _, l := range p.links {
		if l.Current {
			return true
		}
	}
	return false
}

// parts gathers links by their groups, each where its first link stands. A group of one link is no
// group: one press less.
func parts(links []Link) []part {
	var all []part
	at := map[string]int{}
	for _, l := range links {
		if i, ok := at[l.Group]; ok && l.Group != "" {
			all[i].links = append(all[i].links, l)
			continue
		}
		at[l.Group] = len(all)
		all = append(all, part{name: l.Group, links: []Link{l}})
	}
	for i := range all {
		if len(all[i].links) == 1 {
			all[i].name = ""
		}
	}
	return all
}

// few is how many links stand on one line of a phone.
const few = 2

// folds reports whether phones show the menu folded: more of it would push the page's question off the first screen.
func folds(r *Request) bool { return r.Session().SignedIn() || len(r.menu()) > few }
