// Package job names work that follows a change: what a transaction asks to be done after it commits.
//
// A [Job] is a value. The work layer puts it into the transaction of the change it follows, the
// store keeps it in the same database, so nothing is done that was not recorded and nothing
// recorded is forgotten. Who runs jobs, and when they are tried again, is the store's business.
package job

import "time"

// Job asks for one piece of follow-up work.
type Job struct {
	// Kind selects the handler, as "ra.issue". Two characters or more.
	Kind string
	// Payload is encoded as JSON. It holds ids, never secrets and never personal data:
	// job rows live in the database for a while and are shown to operators.
	Payload any
	// At is the earliest moment of the first try. Zero means at once.
	At time.Time
	// Unique, when not empty, makes a second job of the same Kind and Unique a no-op while the
	// first has not finished.
	Unique string
	// Priority orders jobs that are due when there are more than can be done: 1 first, 4 last. 0 is 1.
	Priority int
}
