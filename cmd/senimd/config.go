package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"senim/internal/ident"
	"senim/internal/notice"
	"senim/internal/participant"
	"senim/internal/ra"
)

// config is everything that can be chosen when the server starts. Its zero value is not usable;
// [parse] fills in the defaults.
type config struct {
	// data is the folder of everything this installation keeps: database, sealed keys, trust.
	data string
	// db is postgres://… or the path of an SQLite file. Default: senim.db in data.
	db string
	// trust is the folder of authorities (and lists) that are trusted. Default: trust in data.
	trust string
	// passphrase is the file with the passphrase of the authorities' keys. Default: one is made in
	// data at the first start, which suits a laptop and not an authority: see doc/operator.md.
	passphrase string
	// shares are files with shares of that passphrase, k of n, instead of a file with all of it.
	shares list
	// key is the file with the installation key, 64 hex digits; nodes that share a database share it.
	// Default: one is made in data at the first start.
	key string
	// node names this process among those that share a database. Default: the host's name.
	node string
	// smtp is the server that letters go out by, as smtp://host:port. Default: the built-in mail
	// box of the demo, which shows letters and delivers none.
	smtp string
	// messages is everything else about letters and short messages.
	messages mailConfig
	// agents are the sockets at which pages look for the signing agent.
	agents []string
	// log is the folder of the public log of certificates issued; "none" for a process that does not keep
	// it. logOrigin names the log when it is made. Defaults: log in data, the responder's address.
	log, logOrigin string
	// changeTTL, changeDelay and resetTTL are email.change_ttl, email.change_delay and reset.link_ttl.
	changeTTL, changeDelay, resetTTL time.Duration
	// signin is how people sign in.
	signin signinConfig
	// inviteTTL, invitedUsers and reconfirmDays are invite.ttl, rereg.invited_users and
	// rereg.reconfirm_days.
	inviteTTL     time.Duration
	invitedUsers  string
	reconfirmDays int
	// portalRules are gate.unit_roles, reg.*, rereg.block_previous_at and agreement.
	portalRules portalRules
	// autoRevoke is head_change.auto_revoke.
	autoRevoke ra.AutoRevoke
	// factor is second_factor.kinds, in the order offered; factorFor is second_factor.for.
	factor    []ra.FactorKind
	factorFor list
	// cabinet, portal, responder and mail are the addresses to listen on.
	cabinet, portal, responder, mail, sink listen
	// metrics is the address that figures for a monitoring program are read at; empty: none.
	metrics listen
	// rsaBits is the length of the RSA authorities' keys made at the first start.
	rsaBits int
	// profiles is a file that adds certificate profiles to the national ones, changes or retires
	// them; compromised a list of keys that get no certificate. Both are optional; see doc/operator.md.
	profiles, compromised string
	// token is where keys of RSA authorities may be, beside the sealed files; zero is nowhere.
	token tokenConfig
	// cast admits the test identities and seeds the people of the demo.
	cast bool
	// clock is how the time-stamping authority knows the time: kernel, ntp:SERVER,SERVER or trust.
	// Default: kernel, and trust with cast.
	clock string
	// stampSHA1 admits time-stamps over SHA-1 digests.
	stampSHA1 bool
	// identities are test numbers admitted though their check digit is wrong. Default: none, and
	// the public five with cast.
	identities list

	// only is "ca" for an authority without cabinet, portal and mail, else "".
	only string
	// api is the API for other programs, off by default. remote is an authority on another machine,
	// which this server asks instead of having one of its own.
	api    apiConfig
	remote remoteConfig

	// phone is signing by QR.
	phone phoneConfig

	// desk is how the operator's desk works.
	desk deskConfig
	// services are those that may sign people in through the portal.
	services servicesConfig

	// proxies are the reverse proxies whose X-Forwarded-For names the visitor.
	proxies []netip.Prefix
	// publish is the folder that lists are laid in, "" for none; published are where evidence is read at
	// the start, by default that folder.
	publish   string
	published list
	// listDelay is how long a revocation may be missing in a published list.
	listDelay time.Duration
	// export is where the audit goes off this machine: a folder, a URL, exec:PROGRAM. Default: nowhere.
	export string
	// exportAlarm is how old a checkpoint may be that did not go there.
	exportAlarm time.Duration
	// state is about the registries' refreshing and the state services.
	state stateConfig
	// clerks is the BIN of the organisation whose operators keep the registry at the desk.
	clerks ident.BIN

	// registry is how registries come in.
	registry registryConfig

	// plan says when people are reminded; the zero plan is the usual one.
	plan notice.Plan

	// walk lets a person move the clock of a demonstration.
	walk bool

	// The rest belongs to `senimd demo`.
	agent, browser string
	showAgent      bool
}

// listen is an address to listen on and the origin people see it under.
type listen struct{ address, origin string }

// list is a flag of several values with commas.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = strings.Split(s, ","); return nil }

// parse reads the command line: an optional command (serve, demo) and flags, which it lists to help when asked to. Its
// errors are [misuse].
func parse(args []string, help io.Writer) (command string, c config, err error) {
	command = "serve"
	defer func() {
		if err != nil && !errors.Is(err, flag.ErrHelp) {
			see := "senimd --help shows the commands, senimd " + command + " --help the flags"
			if command != "serve" && command != "demo" {
				see = "senimd --help shows the commands"
			}
			err = &misuse{err, see}
		}
	}()
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		command, args = args[0], args[1:]
	}
	if command != "serve" && command != "demo" {
		return command, c, fmt.Errorf("unknown command %q: it is serve, demo or registry", command)
	}
	f := flag.NewFlagSet("senimd "+command, flag.ContinueOnError)
	f.SetOutput(io.Discard) // an error is told once, and the list of flags when it is asked for
	f.Usage = func() {}
	dir := "data"
	if command == "demo" {
		dir = ".demo"
	}
	f.StringVar(&c.data, "data", dir, "folder of the installation: database, sealed keys, trust")
	f.StringVar(&c.data, "dir", dir, "the same as -data")
	f.StringVar(&c.db, "db", "", "postgres://… or an SQLite file (default: senim.db in the data folder)")
	f.StringVar(&c.trust, "trust", "", "folder of trusted authorities and their lists (default: trust in the data folder)")
	f.StringVar(&c.passphrase, "passphrase-file", "", "file with the passphrase of the authorities' keys (default: made at the first start)")
	f.Var(&c.shares, "passphrase-shares", "files with shares of that passphrase (senim ca split), instead of its file")
	f.StringVar(&c.token.Module, "token.module", "", "driver of the PKCS #11 token in which keys of RSA authorities are (default: none)")
	f.StringVar(&c.token.Label, "token.label", "", "label of that token")
	f.StringVar(&c.token.PINFile, "token.pin-file", "", "file with its PIN, mode 0600")
	f.StringVar(&c.token.Program, "token.program", "", "the senim-token program (default: the one beside this program)")
	f.StringVar(&c.key, "key-file", "", "file with the installation key, 64 hex digits (default: made at the first start)")
	f.StringVar(&c.node, "node", "", "name of this process among those that share a database (default: the host's name)")
	f.StringVar(&c.smtp, "smtp.url", "", "server that letters go out by, smtp://host:port (default: the demo's mail box)")
	c.messages.flags(f)
	f.StringVar(&c.log, "log", "", "folder of the public log of certificates issued, or none (default: log in the data folder)")
	f.StringVar(&c.logOrigin, "log.origin", "", "name of the public log, chosen once (default: the responder's address and /log)")
	var agents list
	f.Var(&agents, "agent-urls", "sockets at which pages look for the agent (default: wss and ws on 127.0.0.1:13579)")
	address := func(l *listen, name, value, what string) {
		f.StringVar(&l.address, name, value, "address of "+what)
		f.StringVar(&l.origin, name+".origin", "", "origin people see it under (default: http://localhost with its port)")
	}
	address(&c.cabinet, "cabinet", "127.0.0.1:8080", "the personal cabinet")
	address(&c.portal, "portal", "127.0.0.1:8081", "the participants' portal")
	address(&c.responder, "responder", "127.0.0.1:8082", "the responder (OCSP, lists, certificates)")
	address(&c.mail, "mailbox", "127.0.0.1:8025", "the page of the demo's mail box")
	f.StringVar(&c.metrics.address, "metrics", "", "address at which a monitoring program reads /metrics; it is for the operator's network and nobody else's (default: none)")
	f.StringVar(&c.sink.address, "mailbox.smtp", "127.0.0.1:1025", "address of the demo's mail box for SMTP")
	c.factor = []ra.FactorKind{ra.FactorSMS, ra.FactorEmail}
	f.Func("second_factor.kinds", "second factors in the order offered: sms, email (confirmed a day ago), or none (default: sms,email)", func(v string) error {
		c.factor = nil
		for _, one := range strings.Split(v, ",") {
			c.factor = append(c.factor, ra.FactorKind(one))
		}
		return nil
	})
	f.Var(&c.factorFor, "second_factor.for", "what it is asked for: reissue, first-head, employee, revocation (of somebody else's key), delegation (default: all)")
	f.IntVar(&c.rsaBits, "rsa-bits", 4096, "length of the RSA authorities' keys made at the first start")
	f.DurationVar(&c.changeTTL, "email.change_ttl", 24*time.Hour, "life of the link that confirms a participant's new e-mail")
	f.DurationVar(&c.changeDelay, "email.change_delay", 0, "time between that confirmation and the change")
	f.DurationVar(&c.resetTTL, "reset.link_ttl", time.Hour, "life of the link that sets a participant's new password")
	f.DurationVar(&c.inviteTTL, "invite.ttl", 7*24*time.Hour, "life of the link that invites a person into an enterprise")
	c.invitedUsers = string(participant.Reconfirm)
	f.Func("rereg.invited_users", "invited users of an enterprise whose head changed: reconfirm (by the new head), keep or block (default: reconfirm)", func(v string) error {
		switch participant.Fate(v) {
		case participant.Reconfirm, participant.Keep, participant.Block:
			c.invitedUsers = v
			return nil
		}
		return errors.New("reconfirm, keep or block")
	})
	f.Func("rereg.reconfirm_days", "days the new head has to confirm them (default: 14)", func(v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 365 {
			return errors.New("1 to 365 days")
		}
		c.reconfirmDays = n
		return nil
	})
	c.portalRules.flags(f)
	f.Var(&c.autoRevoke, "head_change.auto_revoke", "keys of a former head: offer (to the new head, for revocation), after_days:N or now")
	f.StringVar(&c.profiles, "profiles", "", "file of certificate profiles, YAML or JSON (default: the national ones)")
	f.StringVar(&c.compromised, "compromised-keys", "", "list of keys that get no certificate: SHA-256 of the SubjectPublicKeyInfo, one a line")
	f.Func("crl.max_delay", "how long a revocation may be missing in a published list before that is an alarm (default: 15m)", listDelay(&c.listDelay))
	f.StringVar(&c.publish, "publish", "", "folder in which revocation lists are laid as files (default: none)")
	f.Var(&c.published, "published", "folders, files or addresses of published lists that the database is held against at the start (default: the folder of -publish)")
	f.StringVar(&c.export, "audit.export", "", "where the audit goes off this machine: a mounted folder, an http(s) URL that takes PUT, or exec:PROGRAM (default: nowhere)")
	f.DurationVar(&c.exportAlarm, "audit.alarm", 15*time.Minute, "age of an audit checkpoint that is not exported yet which makes /health fail")
	f.StringVar(&c.only, "only", "", "ca: an authority alone (responder and API), without cabinet, portal and letters")
	f.StringVar(&c.api.address, "ca.api", "", "address of the authority's API for other programs (default: off)")
	f.StringVar(&c.api.cert, "ca.api.tls-cert", "", "certificate of that API, PEM with its chain; without it the API listens on this machine only")
	f.StringVar(&c.api.key, "ca.api.tls-key", "", "its key, PEM, mode 0600")
	f.StringVar(&c.api.clients, "ca.api.client-ca", "", "authorities that clients' certificates must be of, PEM (default: any; their fingerprints are registered)")
	f.StringVar(&c.remote.url, "ca.url", "", "API of an authority on another machine, as https://ca:8443; this server then has no authority of its own")
	f.StringVar(&c.remote.keyFile, "ca.key-file", "", "file with this server's key there, mode 0600")
	f.StringVar(&c.remote.certificate, "ca.certificate", "", "certificate this server shows there, PEM")
	f.StringVar(&c.remote.certificateKey, "ca.certificate-key", "", "its key, PEM, mode 0600")
	f.StringVar(&c.remote.roots, "ca.cacert", "", "authorities of that API's own certificate, PEM (default: the system's)")
	f.BoolVar(&c.cast, "cast", true, "seed the demo's people into an empty installation and admit the public test numbers")
	f.Var(&c.identities, "ident.test_identities", "test numbers admitted in spite of their check digit (default: five public ones with -cast)")
	f.StringVar(&c.clock, "tsa.clock", "", "how time-stamps know the time: kernel, ntp:SERVER,SERVER or trust (default: kernel, and trust with -cast)")
	f.BoolVar(&c.stampSHA1, "tsa.sha1", false, "give time-stamps over SHA-1 digests too, for old clients")
	f.Func("proxies", "networks of the reverse proxies in front, whose X-Forwarded-For names the visitor, as 10.0.0.0/8,127.0.0.1/32 (default: none)", func(v string) error {
		for _, one := range strings.Split(v, ",") {
			p, err := netip.ParsePrefix(one)
			if err != nil {
				return err
			}
			c.proxies = append(c.proxies, p)
		}
		return nil
	})
	f.Func("desk.bin", "BIN of the organisation whose operators keep the registry at the desk (default: the demo's with -cast)", func(v string) (err error) {
		c.clerks, err = ident.ParseBIN(v)
		return err
	})
	planFlags(f, &c.plan)
	c.state.flags(f)
	c.signin.flags(f)
	f.BoolVar(&c.walk, "clock", false, "let a person move the clock, on the page /clock of the mail box; with -cast only")
	c.desk.flags(f)
	c.phone.flags(f, command == "demo")
	c.services.flags(f)
	c.registry.flags(f)
	if command == "demo" {
		f.StringVar(&c.agent, "agent", "", "the senim-agent program to start (default: beside this program)")
		f.StringVar(&c.browser, "browser", "", "handed to the agent: how its window is opened")
		f.BoolVar(&c.showAgent, "with-agent", true, "start the agent too")
	}
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		f.SetOutput(help)
		if _, err := fmt.Fprintf(help, "senimd %s [FLAGS]; doc/operator.md explains them. The other commands: senimd --help.\n\n", command); err != nil {
			return command, c, err
		}
		f.PrintDefaults()
		return command, c, err
	} else if err != nil {
		return command, c, err
	}
	if f.NArg() > 0 {
		return command, c, fmt.Errorf("unknown argument %q", f.Arg(0))
	}
	c.agents = agents
	return command, c, c.complete()
}

func (c *config) complete() error {
	if c.data == "" {
		return errors.New("-data: a folder is needed")
	}
	if err := c.roles(); err != nil {
		return err
	}
	if c.portalRules.register.DraftTTL < time.Minute || c.portalRules.register.LinkTTL < time.Minute {
		return errors.New("-reg.draft_ttl, -reg.link_ttl: a minute at least")
	}
	if err := c.signin.complete(); err != nil {
		return err
	}
	if err := c.messages.complete(c.smtp, c.cast); err != nil {
		return err
	}
	if err := c.phone.complete(c.cast); err != nil {
		return err
	}
	if c.walk && (!c.cast || c.smtp != "" || c.only != "" || c.clock != "" && c.clock != "trust") {
		return errors.New("-clock moves the time of a demonstration: it goes with -cast, the built-in mail box and -tsa.clock trust only")
	}
	if c.db == "" {
		c.db = filepath.Join(c.data, "senim.db")
	}
	if c.trust == "" {
		c.trust = filepath.Join(c.data, "trust")
	}
	if c.log == "" {
		c.log = filepath.Join(c.data, "log")
	}
	if c.passphrase == "" {
		c.passphrase = filepath.Join(c.data, passphraseFile)
	}
	if c.key == "" {
		c.key = filepath.Join(c.data, keyFile)
	}
	if c.clock == "" {
		c.clock = "kernel"
		if c.cast {
			c.clock = "trust"
		}
	}
	if len(c.published) == 0 && c.publish != "" {
		c.published = list{c.publish}
	}
	if c.cast && len(c.identities) == 0 {
		c.identities = testIdentities()
	}
	if c.cast && c.clerks == "" {
		c.clerks = binClerk
	}
	if c.cast && c.desk.places == nil {
		c.desk.places = demoPlaces()
	}
	if c.cast && c.services.clients == nil {
		c.services.clients = demoServices()
	}
	return nil
}

// roles refuses contradictions about where the authority is.
func (c *config) roles() error {
	switch {
	case c.only != "" && c.only != "ca":
		return fmt.Errorf("-only %s: it is ca or nothing", c.only)
	case c.remote.url == "" && c.portalRules.stamps != "":
		return errors.New("-tsp.url goes with -ca.url: the authority here stamps itself")
	case c.remote.url == "" && c.remote != (remoteConfig{}):
		return errors.New("-ca.key-file, -ca.certificate, -ca.certificate-key and -ca.cacert go with -ca.url")
	case c.remote.url != "" && (c.only != "" || c.api.address != ""):
		return errors.New("-ca.url: the authority is elsewhere, so -only and -ca.api belong there")
	case c.remote.url != "" && c.cast:
		return errors.New("-ca.url goes with -cast=false: the demo's people are made where the authority is")
	case c.remote.url != "" && c.token != (tokenConfig{}):
		return errors.New("-ca.url: the authority is elsewhere, and its token too")
	case c.token != (tokenConfig{}) && (c.token.Module == "" || c.token.Label == "" || c.token.PINFile == ""):
		return errors.New("-token.module, -token.label and -token.pin-file go together")
	case c.remote.url != "" && c.remote.keyFile == "" && c.remote.certificate == "":
		return errors.New("-ca.url: who is this server there? -ca.key-file or -ca.certificate")
	case c.remote.url != "" && c.responder.origin == "":
		return errors.New("-ca.url: -responder.origin says where that authority's responder is")
	}
	return c.api.check()
}

// Secrets that the first start makes when it was given none.
const (
	passphraseFile = "passphrase"
	keyFile        = "installation.key"
)

// testIdentities are the public numbers of the vendors' test keys (registries.md §5).
func testIdentities() list {
	return list{"123456789011", "123456789012", "123456789013", "123456789021", "123456789025"}
}

func (c config) rules() ident.Rules { return ident.Rules{TestIdentities: c.identities} }

// deaf says why one cannot listen. An error of the network names the address too, and once is enough.
func deaf(address string, err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("listen on %s: another program holds the port: %w", address, err)
	}
	return fmt.Errorf("listen on %s: %w", address, err)
}

// open listens, and settles the origin when none was given.
func (l *listen) open(ctx context.Context) (net.Listener, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", l.address)
	if err != nil {
		return nil, deaf(l.address, err)
	}
	if l.origin == "" {
		_, port, err := net.SplitHostPort(ln.Addr().String())
		if err != nil {
			return nil, fmt.Errorf("listen on %s: %w", l.address, err)
		}
		l.origin = "http://localhost:" + port
	}
	l.address = ln.Addr().String()
	return ln, nil
}

const (
	headerTimeout = 10 * time.Second
	readTimeout   = 60 * time.Second
	stopTimeout   = 10 * time.Second
)
