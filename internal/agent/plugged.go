package agent

// plugged lists the token storages that are here now.
func (a *Agent) plugged() []string { return []string{} }
