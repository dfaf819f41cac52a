package agent

import "sync"

// crew are those who work for an agent that serves: its end waits for them, and nobody joins after it. The zero value
// takes people on.
type crew struct {
	mu    sync.Mutex
	ended bool // under mu
	all   sync.WaitGroup
}

// join counts one more, who leaves when he is done; false when the agent ends.
func (c *crew) join() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.all.Add(1)
	}
	return !c.ended
}

func (c *crew) leave() { c.all.Done() }

// end takes nobody on any more, and waits for those who are here.
func (c *crew) end() {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.all.Wait()
}
