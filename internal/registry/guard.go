package registry

// Guard says from when on a full load waits for an operator (L5), in percent. Zero is the usual: 5, 2 and 1.
type Guard struct {
	// Ended of the records in force, Heads of the organisations that have one, Quarantined of the rows.
	Ended, Heads, Quarantined float64
}

func (g Guard) orUsual() Guard {
	if g.Ended == 0 {
		g.Ended = 5
	}
	if g.Heads == 0 {
		g.Heads = 2
	}
	if g.Quarantined == 0 {
		g.Quarantined = 1
	}
	return g
}

// Reasons of a guard.
const (
	GuardEnded       = "GUARD_ENDED"
	GuardHeads       = "GUARD_HEADS"
	GuardQuarantined = "GUARD_QUARANTINED"
	// GuardByHand: nobody but an operator vouches for the heads, so that another must too, of a delta as well.
	GuardByHand = "GUARD_BY_HAND"
)

// effect is what a batch would change.
type effect struct {
	inForce, ended map[Area]int64
	led, changed   int64 // organisations that have a head, and get another
	rows, refused  int64
}

// trips lists what of a batch an operator must look at. Only a full load can end records by leaving them out: an increment
// never needs an operator.
func (g Guard) trips(full bool, e effect) (all []string) {
	if !full {
		return nil
	}
	g = g.orUsual()
	for a, n := range e.inForce {
		if share(e.ended[a], n) > g.Ended {
			all = append(all, GuardEnded)
			break
		}
	}
	if share(e.changed, e.led) > g.Heads {
		all = append(all, GuardHeads)
	}
	if share(e.refused, e.rows) > g.Quarantined {
		all = append(all, GuardQuarantined)
	}
	return all
}

// share is n of all in percent; nothing of nothing is none.
func share(n, all int64) float64 {
	if all == 0 {
		return 0
	}
	return 100 * float64(n) / float64(all)
}
