package agent

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"senim/internal/keystore"
)

// Trouble is something an agent of these settings cannot use.
type Trouble struct {
	// Kind is keychain-absent, keychain-locked, no-authority, folder-away, driver-refused (it is not safe to load, or cannot be
	// read), driver-fails, token-program or service-away.
	Kind  string
	Where string // a folder, a file, the host of a service
}

// examineTime bounds each look at what may be silent: a disk, a keychain that asks the person, a service.
const examineTime = 5 * time.Second

// Examine looks at what an agent with this configuration and data folder has to do with, whether it runs or not: it changes
// nothing, asks for no password and no PIN. Online asks the time-stamping authorities of the
// authorities that are known, and the services named, whether they can be reached; else nothing leaves the machine. Broken settings say nothing here.
func Examine(ctx context.Context, c Config, online bool, services []string) ([]Trouble, error) {
	c.Browser = func(string) (func(), error) { return nil, errors.New("nothing is shown") }
	a, err := New(c)
	if err != nil {
		return nil, err
	}
	a.settings, a.given = &settings{}, c.Folders
	if b, err := os.ReadFile(settingsIn(c.Data)); err == nil && json.Unmarshal(b, &a.settings.now) != nil {
		a.settings.now = saved{}
	}
	var list []Trouble
	if kind := a.keychainTrouble(); kind != "" {
		list = append(list, Trouble{Kind: kind})
	}
	given, own := a.trust.authorities()
	if len(given)+len(own) == 0 {
		list = append(list, Trouble{Kind: "no-authority"})
	}
	for _, folder := range a.watched() {
		if !inTime(func() bool { info, err := os.Stat(folder); return err == nil && info.IsDir() }) {
			list = append(list, Trouble{"folder-away", folder})
		}
	}
	list = append(list, a.driverTroubles()...)
	if !online {
		return list, nil
	}
	for _, issuer := range slices.Concat(given, own) {
		services = append(services, cmp.Or(c.Stamps[hex.EncodeToString(issuer.SubjectKeyID)], stampers[hex.EncodeToString(issuer.SubjectKeyID)]))
	}
	for _, address := range c.Stamps {
		services = append(services, address)
	}
	slices.Sort(services)
	for _, address := range slices.Compact(services) {
		if address == "" {
			continue
		}
		if !answers(ctx, address) {
			list = append(list, Trouble{"service-away", hostOf(address)})
		}
	}
	return list, nil
}

// inTime gives what look says, or false when it is silent. What hangs is left behind.
func inTime(look func() bool) bool {
	said := make(chan bool, 1)
	go func() { said <- look() }()
	select {
	case good := <-said:
		return good
	case <-time.After(examineTime):
		return false
	}
}

// keychainTrouble asks the keychain for what it does not have.
func (a *Agent) keychainTrouble() string {
	if a.config.Keychain == nil {
		return ""
	}
	kind := "keychain-locked" // it asks the person, who does not answer
	said := make(chan error, 1)
	go func() {
		_, err := a.config.Keychain.Get("doctor")
		said <- err
	}()
	select {
	case err := <-said:
		if err == nil || errors.Is(err, keystore.ErrNoSecret) {
			return ""
		}
		kind = "keychain-absent"
	case <-time.After(examineTime):
	}
	return kind
}

// driverTroubles looks at the drivers as they are looked at before a window, without a PIN.
func (a *Agent) driverTroubles() (list []Trouble) {
	var usable []keystore.TokenDriver
	for _, d := range a.drivers() {
		program := filepath.Base(d.Program)
		if d.Program != "" {
			program = d.Program
		}
		_, missing := exec.LookPath(d.Program)
		switch {
		case d.problem == "program" || d.problem == "" && missing != nil:
			if t := (Trouble{"token-program", program}); !slices.Contains(list, t) {
				list = append(list, t)
			}
		case d.problem != "":
			list = append(list, Trouble{"driver-refused", d.named})
		default:
			usable = append(usable, d.TokenDriver)
		}
	}
	for _, d := range keystore.ScanTokens(usable).Failed {
		list = append(list, Trouble{"driver-fails", d.Module})
	}
	return list
}

// answers tells whether a service answers, whatever it says: nothing of the person's is sent.
func answers(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, examineTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(req)
	if err != nil {
		return false
	}
	return answer.Body.Close() == nil && answer.StatusCode != http.StatusBadGateway && answer.StatusCode != http.StatusGatewayTimeout
}

func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return address
}

// Trial is how a browser did when it was tried.
type Trial struct {
	Program string
	Shows   bool
}

// tryTime is how long a browser may take to open a page without a window.
const tryTime = 20 * time.Second

// TryBrowsers tries the browsers of the Chromium kind, the best first, until one fetches a page of this machine. It shows
// nothing: the browser runs without a window, with a new profile where that of the agent's windows is, which goes again.
// Other programs that open addresses cannot be tried unseen; opener tells whether there is one.
func TryBrowsers(ctx context.Context, data string) (trials []Trial, opener bool) {
	for _, w := range Ways("", data) {
		if w.profile == "" {
			opener = true
			continue
		}
		if len(trials) > 0 && trials[len(trials)-1].Shows {
			continue
		}
		trials = append(trials, Trial{w.Program, w.fetches(ctx)})
	}
	return trials, opener
}

// fetches tells whether the browser fetches a page, and runs the script on it.
func (w Way) fetches(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	listener, err := listenConfig().Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return false
	}
	name := "/" + secret()
	fetched := make(chan struct{}, 1)
	server := &http.Server{ReadHeaderTimeout: time.Second, BaseContext: func(net.Listener) context.Context { return ctx },
		Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case name:
				rw.Header().Set("Content-Type", "text/html")
				_, _ = rw.Write([]byte(`<!doctype html><title>Senim</title><script>fetch("` + name + `/open")</script>`))
			case name + "/open":
				select {
				case fetched <- struct{}{}:
				default:
				}
			}
		})}
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()
	trial := w.profile + "-trial"
	defer removeLived(trial)
	if quietProfile(trial) != nil {
		return false
	}
	c := exec.CommandContext(ctx, w.Program, append(w.flags(trial), "--headless", "--remote-debugging-port=0", "http://"+listener.Addr().String()+name)...) //nolint:gosec // a browser of this machine
	c.WaitDelay, c.Env = time.Second, inProfile(trial)
	end := tied(c)
	ended := make(chan error, 1)
	if err := c.Start(); err != nil {
		return false
	}
	go func() { ended <- c.Wait() }()
	shows, waited := false, false
	select {
	case <-fetched:
		shows = true
	case <-ended:
		waited = true
		select { // it may have been quick
		case <-fetched:
			shows = true
		default:
		}
	case <-ctx.Done():
	}
	cancel()
	if waited {
		end()
	} else {
		<-ended
	}
	return shows
}

// removeLived removes a folder until it stays away: a browser's last processes, such as those that tell of its crashes, have
// a session of their own and may write for a moment yet.
func removeLived(dir string) {
	for range 50 {
		err := os.RemoveAll(dir)
		time.Sleep(100 * time.Millisecond) //nolint:forbidigo // there is no signal, it is looked at again
		if _, gone := os.Lstat(dir); err == nil && errors.Is(gone, fs.ErrNotExist) {
			return
		}
	}
}
