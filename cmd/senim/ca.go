package main

// authority is the command group of the certification authority.
type authority struct {
	caRemote
	Client caClients `cmd:"" help:"Register programs that may call an authority of this machine."`
}
