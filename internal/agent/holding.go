package agent

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"senim/internal/keystore"
	"senim/pfx"
)

// hold takes the data folder for this agent and opens what lies in it, until the last release: whoever else
// writes there would lose keys, and what he is just making would be taken for what a kill left.
// [keystore.ErrInUse] when another has it. An agent that serves holds it already.
func (a *Agent) hold() (release func(), err error) {
	a.holding.Lock()
	defer a.holding.Unlock()
	if a.holders == 0 {
		if err := keystore.MakeFolder(a.config.Data); err != nil {
			return nil, fmt.Errorf("open the agent's folder: %w", err)
		}
		if a.letGo, err = keystore.Lock(a.config.Data); err != nil {
			return nil, err
		}
		if err := a.open(); err != nil {
			a.letGo()
			return nil, fmt.Errorf("open the agent's folder: %w", err)
		}
	}
	a.holders++
	return func() {
		a.holding.Lock()
		defer a.holding.Unlock()
		if a.holders--; a.holders == 0 {
			a.lookers.Wait() // what they learn is written into the folder
			a.letGo()
		}
	}, nil
}

// wake has the keychain asked again for what is known, beside everything else: now, as when the person opens the agent's
// page, or when it was left alone for a while.
func (a *Agent) wake(now bool) {
	release, err := a.hold()
	if err != nil {
		return
	}
	a.wakers.Go(func() {
		defer release()
		if !a.known.wake(now) {
			return
		}
		select {
		case a.woken <- struct{}{}:
		default:
		}
	})
}

// wakeGrace is how long the end of the agent waits for the keychain: one that asks the person may do so for long.
const wakeGrace = 2 * time.Second

// rest waits for who asks the keychain, but not for a person.
func (a *Agent) rest() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.wakers.Wait()
	}()
	select {
	case <-done:
	case <-time.After(wakeGrace):
		a.log.Warn("the keychain is still asked while the agent ends")
	}
}

// open reads what the agent keeps, and makes what is missing.
func (a *Agent) open() (err error) {
	c := &a.config
	sweep(c.Data)
	if a.authority, err = openAuthority(c.Data, c.Now); err != nil {
		return err
	}
	form := pfx.Modern
	if c.OldKeyFiles {
		form = pfx.NCA
	}
	a.keeper, err = keystore.Open(keystore.Config{Dir: pendingIn(c.Data), Now: c.Now, Form: form, Keychain: c.Keychain})
	if err != nil {
		return err
	}
	if a.settings, err = openSettings(settingsIn(c.Data)); err != nil {
		return err
	}
	settings := a.settings
	place := &index{dir: c.Data, chain: c.Keychain, plain: func() bool { return c.Remember || settings.get().Plain }}
	if a.known == nil {
		a.known = newCatalogue(place, c.Log)
	} else { // of an act before: what is known in memory stays, and what others wrote is read
		a.known.reopen(place)
	}
	if a.recaller, err = openRecaller(c.Keychain, rememberedIn(c.Data)); err != nil {
		err = a.recaller.mend()
	}
	if err != nil {
		return fmt.Errorf("read which passwords are kept: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.given = nil
	for _, folder := range slices.Concat(c.Folders, a.keeper.Folders()) {
		if full, err := filepath.Abs(folder); err == nil {
			a.given = append(a.given, full)
		}
	}
	return nil
}
