package main

// caGroup is what concerns certification authorities.
type caGroup struct {
	Profiles caProfiles `cmd:"" help:"Show certificate profiles, and check a file of them."`
}
