package main

import (
	"net"
	"os/exec"
	"strconv"
	"strings"

	"senim/internal/agent"
)

// choices are the agent's flags.
type choices struct {
	tag, listen, data, browser, cabinet, helper, crl       string
	remember, single, old, keychain, wait, headless, large bool
	keys, authorities, responders, stampers, drivers       list
}

// read takes them from a command line, and refuses what else is in it.
func (c *choices) read(name string, args []string) error {
	flags := newFlags(name)
	flags.StringVar(&c.tag, "lang", "", "command.flag.lang")
	flags.StringVar(&c.listen, "listen", defaultListen, "command.flag.listen")
	flags.StringVar(&c.data, "data", dataFolder(), "command.flag.data")
	flags.StringVar(&c.browser, "browser", "", "command.flag.browser")
	flags.BoolVar(&c.remember, "remember", false, "command.flag.remember")
	flags.BoolVar(&c.single, "single-user", false, "command.flag.single-user")
	flags.BoolVar(&c.old, "old-key-files", false, "command.flag.old-key-files")
	flags.StringVar(&c.cabinet, "cabinet", "", "command.flag.cabinet")
	flags.BoolVar(&c.keychain, "keychain", true, "command.flag.keychain")
	flags.BoolVar(&c.wait, "wait", false, "command.flag.wait")
	flags.BoolVar(&c.headless, "headless", false, "command.flag.headless")
	flags.BoolVar(&c.large, "large-documents", false, "command.flag.large-documents")
	flags.Var(&c.drivers, "token", "command.flag.token")
	flags.StringVar(&c.helper, "token-program", "", "command.flag.token-program")
	flags.Var(&c.keys, "keys", "command.flag.keys")
	flags.Var(&c.authorities, "trust", "command.flag.trust")
	flags.Var(&c.responders, "ocsp", "command.flag.ocsp")
	flags.Var(&c.stampers, "tsp", "command.flag.tsp")
	flags.StringVar(&c.crl, "crl", "", "command.flag.crl")
	if err := parse(flags, args); err != nil {
		return err
	}
	if err := checkListen(c.listen); err != nil {
		return err
	}
	c.cabinet = strings.TrimSuffix(c.cabinet, "/") // as browsers show it
	if err := agent.CheckCabinet(c.cabinet); err != nil {
		return refuse("command.cabinet", "address", c.cabinet).because(err)
	}
	return nil
}

// checkListen refuses an address at which no agent listens.
func checkListen(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return refuse("command.listen", "address", address)
	}
	return nil
}

// checkBrowser refuses a command that is not on this machine.
func checkBrowser(command string) error {
	if command == "" || command == "none" {
		return nil
	}
	for _, way := range agent.Ways(command, "") {
		if _, err := exec.LookPath(way.Program); err != nil {
			return refuse("command.browser", "command", command).because(err)
		}
	}
	return nil
}
