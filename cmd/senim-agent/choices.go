package main

import (
	"flag"
	"io"
)

// choices are the agent's flags.
type choices struct {
	listen, data, browser, cabinet, helper, crl            string
	remember, single, old, keychain, wait, headless, large bool
	keys, authorities, responders, stampers, drivers       list
}

// read takes them from a command line, and refuses what else is in it.
func (c *choices) read(name string, args []string, stderr io.Writer) error {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&c.listen, "listen", defaultListen, "loopback `address`; port 0 takes a free one")
	flags.StringVar(&c.data, "data", dataFolder(), "`folder` of the agent's own files")
	flags.StringVar(&c.browser, "browser", "", "`command` that shows a window; none prints the address instead")
	flags.BoolVar(&c.remember, "remember", false, "keep the certificates of opened keys on disk, so that the next start knows their owners")
	flags.BoolVar(&c.single, "single-user", false, "accept peers whose user this system cannot tell (never on a shared machine)")
	flags.BoolVar(&c.old, "old-key-files", false, "write new key files as the national CA does, for programs that read nothing else (weaker)")
	flags.StringVar(&c.cabinet, "cabinet", "", "`origin` of the cabinet in which keys are renewed and revoked, as https://cabinet.example.kz")
	flags.BoolVar(&c.keychain, "keychain", true, "keep secrets in the system's keychain where there is one")
	flags.BoolVar(&c.wait, "wait", false, "when another program has the port, wait until it quits")
	flags.BoolVar(&c.headless, "headless", false, "no tray, no reminders beside the windows, no look at plugged media")
	flags.BoolVar(&c.large, "large-documents", false, "sign documents too large for the socket on port 24680, as KAZTOKEN does; no window shows what is in them")
	flags.Var(&c.drivers, "token", "`STORAGE=DRIVER` of PKCS #11 tokens beside those that are found, as AKKaztokenStore=/usr/lib/driver.so, may be repeated")
	flags.StringVar(&c.helper, "token-program", "", "`path` of senim-token; default: beside this program")
	flags.Var(&c.keys, "keys", "`folder` with key files, may be repeated")
	flags.Var(&c.authorities, "trust", "`folder` with certificates of known authorities, may be repeated")
	flags.Var(&c.responders, "ocsp", "`SKI=URL`: where to ask for the status of certificates of an issuer, may be repeated")
	flags.Var(&c.stampers, "tsp", "`SKI=URL`: who time-stamps signatures whose certificate is of an issuer, may be repeated")
	flags.StringVar(&c.crl, "crl", "", "`folder` with revocation lists; default: the first folder of --trust")
	if err := parse(flags, args); err != nil {
		return err
	}
	return checkCabinet(c.cabinet)
}
