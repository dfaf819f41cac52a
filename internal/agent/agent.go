// Package agent is the signing agent on a person's machine: it stands between web pages and key
// files, speaks NCALayer's protocol to the pages, and asks the person before every act.
//
// [New] checks the configuration, [Agent.Listen] binds the socket, [Agent.Serve] runs until its
// context ends. Everything that signs, lists, reads or makes a key goes through one window, shown by
// the person's browser from an origin of its own that exists only while the window is open. The
// password is typed there and nowhere else; no page ever learns it, a private key, or a path the
// person did not pick for it.
//
// Refused: other users of the machine, pages that reach us under another host name, our own window's
// origin, a sign-in challenge asked for by another origin than its own, digests for sign-in keys,
// keys that do not fit what the page asks (each with its reason), revoked and expired keys.
// What could not be checked is shown as that.
//
// # The window
//
// The agent opens http://127.0.0.1:PORT/#TOKEN. GET / (also /window.css, /window.js) gives a page
// without data. The rest is JSON by POST, header Content-Type: application/json; a browser's Origin
// and Sec-Fetch-Site must be the window's own. Answers with an error are {"error":{"code","field","text"}}.
//
//	POST /open    {"token":"…"}                       once, within 60 s → {"key":"…","view":View}; a second use cancels the request
//
// All further calls carry the header X-Window-Key with that key:
//
//	POST /unlock  {"id":"…","password":"…"}            → {"view":View}, the key's row unlocked; 422 wrong_password and the window stays
//	              {…,"brief":true}                     → {"row":KeyRow} instead, for opening many
//	              {…,"remember":true}                  keeps the password in the system's keychain
//	              {"id":"…","remembered":true}         takes the one kept there
//	POST /forget  {"id":"…"}                            → {"view":View}: what is kept of the key's password is forgotten
//	POST /look    {}                                   → {"view":View} as it is now
//	POST /watch   {"folder":"…"}                        → {"view":View} with the keys of one more folder
//	POST /decide  {"key":"…"}                          kinds sign and info: which unlocked key; 422 no_stamp: a time-stamp could not be had, again or cancel
//	              {"folder":"…"}                       kind generate; with "confirm":true and a new password twice the pending
//	                                                   key is under that password, to be installed on another computer
//	              {"newPassword":"…","newPassword2":"…","confirm":true}   kind install; with "password" when the view says sealed
//	              {"keys":["…"]}                       kind list: which rows are told
//	              {"folder":"…"}                       kind generate-many; with "confirm":true when the view has something to confirm
//	              {"confirm":false}                    kind sign-many; confirm skips the keys that were not opened
//	              {"newPassword":"…",…,"passwords":{"id":"…"},"skip":["id"]}   kind install-many, as install; passwords of the
//	                                                   keys that the view says are sealed, or those to go on without
//	              {"newPassword":"…",…,"code":"…"}     kind renew, as install and sign-many; code answers 422 code_needed
//	                                                   the kinds of many answer {"done":false,"at":3,"of":50} after each step but the
//	                                                   last: the page sends the same again
//	              {"file":"…"}                         kind choose: the path of the file
//	              {"saveAs":"…"}                       kind save, and with a key kind sign when the view proposes a path: where the result is written
//	              {"key":"…"}                          kind large: as sign; the page sends it again while documents come
//	              {"key":"…","password":"…","newPassword":"…","newPassword2":"…","confirm":false}   kind password; confirm removes the old file
//	              {"key":"…","password":"…","folder":"…"}   kind backup
//	              {}                                   kinds refused and notice: seen, or led on when the notice has a button; read, fetch and stamp: allowed
//	              → {"done":true,"text":"…"}, the window is over; 422 and it stays; {"done":true,"failed":true,…} when the act failed
//	POST /cancel  {"block":false}                      → {"done":true}; block refuses this origin for ten minutes
//	POST /chooser {"folder":"…"}                       kind choose → {"chooser":Listing} of another folder
//	POST /alive   {}                                   → {}, {"changed":true} when keys came or went; fails when the request was withdrawn
//
// Several documents of one request are signed in steps too, and can be cancelled between them: then none is.
//
// View is described by its Go type. The page keeps these names stable for programs that drive it:
// body[data-kind][data-state=loading|ready|busy|done|failed], #who, #what .document, .key[data-key-id]
// [data-state=locked|known|unlocked|pending][data-fits], #password, #folder, #new-password,
// #new-password-2, #confirm, #chooser, #save-as, #sign (first opens the chosen key, then signs), #cancel, #block, #error, #done;
// of many: input[data-password] of each key, #same, #all, #progress, and .wrong[data-code] beside a key.
//
// # The agent's own page
//
// [Agent.ShowHome], and a site's showSettings, open a page on another origin of its own, with the same door:
// token, key, header. It signs nothing. POST /look, /unlock (only to learn whose a key is), /forget, /site,
// /folder, /files, /driver, /set, /authority, /discard and /act answer {"view":HomeView}; /calendar gives the .ics;
// /close ends it. None of them waits for another.
package agent

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/trust"
	"senim/pki"
)

// Config makes an [Agent].
type Config struct {
	Listen  string   // loopback address; default 127.0.0.1:13579. Port 0 takes a free one
	Data    string   // folder of the agent's own files, made with mode 0700; required
	Folders []string // where key files are looked for

	Pool       *pki.Pool        // authorities known beside those the person adds; nil knows none
	Revocation trust.Revocation // nil: every status is "could not check"

	// Stamps maps the key identifier (lower hex) of an issuer of signers' certificates to the address of
	// its time-stamping authority. Default: of the national CA's own issuers its own; of others a time-stamp cannot be had.
	Stamps map[string]string

	// Ways lists how a window can be shown now, the best first: the next is tried, with a new token, when one ends badly or
	// has not opened the page in time. Unseen, which may be nil, is called with the address that none has shown.
	Ways   func() []Way
	Unseen func(url string)
	// Browser shows a window instead. stop, which may be nil, is called when the window is over. It or Ways is required.
	Browser func(url string) (stop func(), err error)
	// SingleUser accepts peers whose user cannot be told, on systems where the agent cannot look.
	SingleUser bool
	// Keychain keeps the secret of pending keys, the passwords people ask to keep, and the key that encrypts
	// the list of certificates on disk. Nil keeps no passwords, and the secret in a file of mode 0600.
	Keychain keystore.Keychain
	// AskPending has a password demanded for a key a page has made where the keychain does not work, instead of a secret in
	// a file. Default: the file.
	AskPending bool
	// Remember keeps certificates of opened keys, and where they were, in a plain file of mode 0600 where
	// there is no keychain, so that the next start knows them. Default: in memory only, until the person
	// wishes otherwise on the agent's page.
	Remember bool
	// Media lists plugged media, which are looked into while they are there. Default: none are.
	Media func() []string
	// Notify says something in the system's own way, beside the windows; an empty text takes back what was said.
	// Default: nothing is said.
	Notify func(title, text string)
	// Tokens are drivers of PKCS #11 tokens, whatever they are. KnownDrivers are looked for, and used while they are there and nobody
	// else could change them; the person may add others on the agent's page. Without any, no token is ever plugged in.
	Tokens, KnownDrivers []keystore.TokenDriver
	// TokenProgram is the path of senim-token, in which drivers run that Tokens does not name.
	TokenProgram string
	// OldKeyFiles writes new key files as the national CA does, for programs that read nothing else.
	// Default: the strong form, which its library reads too.
	OldKeyFiles bool

	// LargeDocuments is the loopback address of KAZTOKEN's HTTP API, port 24680 in the world: documents too
	// large for the socket, whose content no window shows. Default: off. Where it is taken the agent serves without,
	// and [Agent.LargeError] says so.
	LargeDocuments string
	// LargeSwitch is the same address for a person who turns it on, on the agent's page. Default: no such switch.
	LargeSwitch string
	// Cabinet is the origin of the cabinet in which keys are renewed without its pages, and where a person is
	// led to revoke them; empty: nowhere.
	Cabinet          string
	CabinetTransport http.RoundTripper // reaches it; nil is the usual one

	Version string           // shown in getBundles; default "0"
	Log     *slog.Logger     // without paths: see [Discreet]. Default: nowhere
	Now     func() time.Time // default time.Now

	pause      time.Duration                         // of large documents; tests are less patient
	openFolder func(folder string) (*os.File, error) // nil: os.Open
}

// Agent serves one person. Safe for concurrent use.
type Agent struct {
	config Config
	log    *slog.Logger
	now    func() time.Time
	desk   *desk
	trust  *trusted
	homes  chan homeWish // wishes to see the agent's own page, or to have an act done from it
	acts   map[Act]func(context.Context, lang.Tag)

	holding sync.Mutex
	holders int    // under holding: who needs the folder to stay ours
	letGo   func() // under holding
	release func() // of the agent that listens

	// What lies in the data folder; there while it is held.
	authority *authority
	keeper    *keystore.Keeper
	known     *catalogue
	recaller  *recaller
	settings  *settings

	notices notices
	budget  *budget
	crowd   crowd // one XML of very many nodes at a time
	quiet   quiet
	// driverQuiet says when it is said again that a driver is missing.
	driverQuiet quiet
	woken       chan struct{} // more is known than when it was last reminded
	silence     silence
	scanner     *keystore.Scanner
	// stamper adds a time-stamp to the signatures of a message made with one certificate.
	stamper    func(ctx context.Context, message []byte, only *pki.Certificate) ([]byte, error)
	downloader *http.Client // nil: one that reaches public addresses only

	doors     sync.Mutex
	large     *large // under doors; nil: off
	largeHeld error  // under doors: why it could not be opened

	listeners []net.Listener
	port      string

	mu      sync.Mutex
	origins map[string]*originState // under mu
	seats   []*seat                 // under mu: of all connections
	given   []string                // under mu: folders the agent was started with
	mine    map[string]bool         // under mu: origins of our windows, now and before
	renewal map[string]bool         // under mu: serials whose renewal was begun and not told to its end
	lists   []*listedKeys           // under mu: what the cabinet listed, the latest of each person and side
	came    int                     // under mu: how many lists came
	shownBy string                  // under mu: the program that showed the last window
	crew    crew                    // who answers connections
	seen    keystore.Seen           // under mu: what the last look at the tokens showed
	ill     string                  // under mu: what it could not read
	turn    int                     // under mu: how often what is plugged in changed

	looking   sync.Mutex             // held by who looks at the tokens
	lookEnd   time.Time              // under looking: when the last look ended
	lookWith  []keystore.TokenDriver // under looking: and what it looked with
	lookKept  time.Duration          // how long pages are told what it showed
	lookFirst time.Duration          // how long the agent's page waits for its first look
	lookEvery time.Duration          // how often
	showTime  time.Duration          // how long a browser may take
	lookers   sync.WaitGroup
	wakers    sync.WaitGroup // who asks the keychain again
}

// New checks the configuration. The data folder is opened, and held against a second agent, by what needs it:
// [Agent.Listen], [Agent.Do], [Agent.Renew].
func New(c Config) (*Agent, error) {
	switch {
	case c.Data == "":
		return nil, errors.New("new agent: no data folder")
	case c.Browser == nil && c.Ways == nil:
		return nil, errors.New("new agent: no way to show a window")
	}
	if c.Listen == "" {
		c.Listen = "127.0.0.1:13579"
	}
	if c.Version == "" {
		c.Version = "0"
	}
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Pool == nil {
		c.Pool = pki.NewPool()
	}
	c.Log = slog.New(Discreet(c.Log.Handler(), c.Data))
	a := &Agent{
		config: c, log: c.Log, now: c.Now,
		desk: newDesk(), budget: newBudget(), crowd: newCrowd(),
		trust:   &trusted{given: c.Pool, dir: TrustFolder(c.Data), log: c.Log},
		scanner: &keystore.Scanner{Open: c.openFolder},
		homes:   make(chan homeWish, 1), woken: make(chan struct{}, 1),
		acts:    map[Act]func(context.Context, lang.Tag){},
		origins: map[string]*originState{}, mine: map[string]bool{}, renewal: map[string]bool{},
		lookEvery: lookEvery, lookKept: lookKept, lookFirst: lookFirst, showTime: showTime,
	}
	a.stamper = a.stamp
	for _, act := range ownActs {
		if (act == ActRenew || act == ActCompare) && c.Cabinet == "" {
			continue
		}
		a.acts[act] = func(ctx context.Context, tag lang.Tag) {
			if _, _, err := a.Do(ctx, act, tag); err != nil {
				a.log.Error("act", "act", act, "err", err)
			}
		}
	}
	return a, nil
}

// Serve answers until ctx ends, then withdraws the window, closes every connection and returns.
func (a *Agent) Serve(ctx context.Context) error {
	if len(a.listeners) == 0 {
		if err := a.Listen(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var own sync.WaitGroup
	own.Go(func() { a.attend(ctx) })
	own.Go(func() { a.remind(ctx) })
	err := a.serve(ctx, cancel)
	own.Wait()
	a.rest()
	if a.release != nil {
		a.release()
		a.release = nil
	}
	return err
}
