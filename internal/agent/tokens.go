package agent

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/pki"
)

// lookEvery is how often the tokens are looked at while a page shows them; lookKept, how long pages that ask which
// storages there are get the answer of the last look.
const (
	lookEvery = 3 * time.Second
	lookKept  = 2 * time.Second
)

// onTokens lists the tokens that are plugged in, with their keys, and remembers their certificates. One looks at a time:
// drivers are programs, may take their time, and do not all bear company.
func (a *Agent) onTokens() keystore.Seen {
	a.looking.Lock()
	defer a.looking.Unlock()
	return a.look()
}

// plugged names the token storages that are there now, or were a moment ago: the calls of pages start no program each.
func (a *Agent) plugged() []string {
	a.looking.Lock()
	defer a.looking.Unlock()
	if !a.lookEnd.IsZero() && time.Since(a.lookEnd) < a.lookKept && slices.Equal(a.lookWith, a.usable()) {
		return a.seenLast().Storages()
	}
	return a.look().Storages()
}

// look looks; called under looking. What cannot be read is in the log, once while it is so; a window says so.
func (a *Agent) look() keystore.Seen {
	defer func() { a.lookEnd = time.Now() }()
	var seen keystore.Seen
	if a.lookWith = a.usable(); len(a.lookWith) > 0 {
		seen = keystore.ScanTokens(a.lookWith)
	}
	ill := ""
	if seen.Err != nil {
		ill = seen.Err.Error()
	}
	for _, t := range seen.Tokens {
		if t.Problem != "" {
			ill += "\n" + t.Storage + ": " + t.Problem
		}
	}
	a.known.learnTokens(seen.Files) // before a page is told that there is news
	a.mu.Lock()
	news := ill != a.ill
	if sight(seen) != sight(a.seen) || news {
		a.turn++
	}
	a.seen, a.ill = seen, ill
	a.mu.Unlock()
	if news && ill != "" {
		a.log.Warn("tokens cannot be read", "why", ill)
	}
	return seen
}

// sight is what there is to see of the tokens, to be compared.
func sight(s keystore.Seen) string {
	list := ids(s.Files)
	for _, t := range s.Tokens {
		list = append(list, t.ID+t.Problem+strconv.FormatBool(t.Locked))
	}
	return strings.Join(list, "\n")
}

// seenLast is what the last look at the tokens showed.
func (a *Agent) seenLast() keystore.Seen {
	seen, _ := a.seenTurn()
	return seen
}

// seenTurn is the same, with how often it changed.
func (a *Agent) seenTurn() (keystore.Seen, int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seen, a.turn
}

// lookOut looks at the tokens every few seconds, until ctx ends: a page is open that shows them. Nothing waits for it, and
// of two pages one looks.
func (a *Agent) lookOut(ctx context.Context) {
	ticker := time.NewTicker(a.lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if a.looking.TryLock() {
			a.look()
			a.looking.Unlock()
		}
	}
}

// keyFiles lists the key files, and the keys on tokens as the last look showed them.
func (a *Agent) keyFiles() []keystore.File {
	return append(slices.Clone(a.seenLast().Files), a.scanner.Scan(a.looked()).Files...)
}

// TokenRow is a token that new keys can be made on.
type TokenRow struct {
	ID     string `json:"id"`
	Label  string `json:"label"`
	Serial string `json:"serial,omitempty"`
}

// unreadable says which tokens of a storage, or of any, a window cannot show, and which drivers do not work.
func (w *window) unreadable(storage string) []Remark {
	var list []Remark
	for _, d := range w.agent.drivers() {
		problem := d.problem
		if problem == "" && failedDriver(w.agent.seenLast(), d) {
			problem = "failed"
		}
		// One that was only found there, perhaps for a token nobody here has, is named on the agent's page alone.
		if problem != "" && d.kind != "known" && (storage == "" || keystore.SameStorage(d.Storage, storage)) {
			list = append(list, Remark{"driver", "amber", w.lang.Text("agent.token.driver", "name", w.lang.Text("home.token."+d.Storage), "why", w.lang.Text("home.driver.problem."+problem))})
		}
	}
	for _, t := range w.tokens {
		if t.Problem == "" || storage != "" && !keystore.SameStorage(t.Storage, storage) {
			continue
		}
		name := t.Label
		if name == "" {
			name = t.Storage
		}
		list = append(list, Remark{"token-unreadable", "amber", w.lang.Text("agent.token.unreadable", "name", name)})
	}
	return list
}

// cert is the certificate of a key as far as it is known: a token shows it, a file only once it was opened.
func (w *window) cert(f keystore.File) *pki.Certificate {
	if c := f.Certificate(); c != nil {
		return c
	}
	return w.agent.known.find(f.ID)
}

// place opens a token with a PIN.
func (w *window) place(t keystore.PluggedToken, pin string) (*keystore.Place, *Problem) {
	place, err := t.Open(pin)
	if code, field := pinProblem(err); code != "" {
		return nil, &Problem{Code: code, Field: field}
	}
	if err != nil {
		w.agent.log.Warn("a token was not opened", "err", err)
		return nil, &Problem{Code: "token_failed"}
	}
	return place, nil
}

// pinProblem is the code and the field for a PIN the token refused; "" for other errors.
func pinProblem(err error) (code, field string) {
	switch {
	case errors.Is(err, keystore.ErrNoPIN):
		return "pin_needed", "password"
	case errors.Is(err, keystore.ErrPassword):
		return "wrong_pin", "password"
	case errors.Is(err, keystore.ErrLastTry):
		return "pin_last_try", "password"
	case errors.Is(err, keystore.ErrLocked):
		return "token_locked", ""
	}
	return "", ""
}

// passwordProblem is the code for a password that does not open a file: of none, that one is to be typed.
func passwordProblem(typed string) string {
	if typed == "" {
		return "password_needed"
	}
	return "wrong_password"
}

// let lets a token go.
func (w *window) let(place *keystore.Place) {
	if err := place.Close(); err != nil {
		w.agent.log.Warn("a token was not let go", "err", err)
	}
}

// tokenOf finds the plugged token a pending key is on.
func (w *window) tokenOf(n keystore.Note) (keystore.PluggedToken, bool) {
	for _, t := range w.tokens {
		if keystore.SameStorage(t.Storage, n.Storage) && t.Label == n.Token && t.Serial == n.Serial {
			t.Storage = n.Storage
			return t, true
		}
	}
	return keystore.PluggedToken{}, false
}

// withoutDriver keeps a driver's words out of what pages and people are told: the log has them.
func (a *Agent) withoutDriver(err error) error {
	if !errors.Is(err, keystore.ErrToken) {
		return err
	}
	a.log.Warn("a token failed", "err", err)
	return keystore.ErrToken
}

// failed notes in the log how a token failed; the error is what the act ends with.
func (a *Agent) failed(err error) error {
	if errors.Is(err, keystore.ErrToken) || errors.Is(err, keystore.ErrCannot) {
		a.log.Warn("an act on a token failed", "err", err)
	}
	return err
}

// why says in words why an act failed.
func why(err error, tag lang.Tag) string {
	switch {
	case errors.Is(err, keystore.ErrCannot):
		return tag.Text("agent.problem.token_cannot")
	case errors.Is(err, keystore.ErrToken):
		return tag.Text("agent.problem.token_failed")
	}
	if errors.Is(err, errOrigin) {
		return tag.Text("agent.refused.challenge")
	}
	if _, sent := errors.AsType[nurError](err); sent {
		return tag.Text("agent.problem.not_sent")
	}
	return err.Error()
}
