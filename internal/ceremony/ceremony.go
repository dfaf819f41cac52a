// Package ceremony carries out what people planned for their certification authorities, in folders:
// an offline root's and an online installation's.
//
// A [Plan] is a YAML file that was reviewed; [Parse] reads it and names the line of a mistake,
// [Env.Check] says what would be done, [Env.Run] does it. [Env.Request] and [Env.Install] are the online
// side of an authority that an offline root certifies. Every act writes a transcript beside its output,
// TRANSCRIPT-DATE.txt, and audit records; both hold the plan's digest, times, key identifiers, serials and
// digests, and the checks made afterwards.
//
// It refuses: making anything in a folder that has something in it, opening a folder where nothing was
// finished, a root's keys within the online folder, and one passphrase for both. An act that fails says
// what exists and how to go on; nothing half-made is used.
package ceremony

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"senim/algid"
	"senim/internal/audit"
	"senim/internal/ca"
	"senim/internal/vault"
)

// Env is where a ceremony takes place.
type Env struct {
	// Dir is where relative paths begin.
	Dir string
	// Now is the clock.
	Now func() time.Time
	// Tell shows lines of the transcript to whoever carries it out; nil shows nothing.
	Tell func(line string)
	// RootShares and Shares are passphrases put together from shares; nil means that the files are read.
	RootShares, Shares []byte
}

func (e *Env) path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(e.Dir, name)
}

func (e *Env) passphrase(gathered []byte, file string, mayMake bool, what string) ([]byte, error) {
	if gathered != nil {
		return slices.Clone(gathered), nil
	}
	words, made, err := vault.Secret(file, mayMake)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if made && e.Tell != nil {
		e.Tell(fmt.Sprintf("%s was made at random: %s. Divide it with senim ca split, or keep it elsewhere.", what, file))
	}
	return words, nil
}

// act is one ceremony at work.
type act struct {
	env          *Env
	digest, by   string
	participants []string
	root, online *folder
	notes        notes
	kept         []kept
}

// kept is a key sealed in this act.
type kept struct {
	in   *folder
	name string
}

// keeping is a vault that remembers what was put into it.
type keeping struct {
	a *act
	f *folder
}

func (k keeping) Keep(ctx context.Context, name string, key crypto.Signer) error {
	err := k.f.keys.Keep(ctx, name, key)
	if err == nil {
		k.a.kept = append(k.a.kept, kept{k.f, name})
	}
	return err
}

// Make has the token make a key. One that failed may be there all the same: nobody knows how far it came.
func (k keeping) Make(ctx context.Context, name string, kind algid.Key, bits int) (crypto.Signer, error) {
	key, err := k.f.keys.Make(ctx, name, kind, bits)
	if !errors.Is(err, ca.ErrExists) {
		k.a.kept = append(k.a.kept, kept{k.f, name})
	}
	return key, err
}

func (k keeping) Key(ctx context.Context, name string) (crypto.Signer, error) {
	return k.f.keys.Key(ctx, name)
}

// begin opens the places and the transcripts.
func (e *Env) begin(ctx context.Context, p *Plan) (a *act, err error) {
	a = &act{env: e, digest: p.Digest(), by: "ceremony:" + p.Digest()[:16], participants: p.Participants}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
			a = nil
		}
	}()
	if err := e.apart(p); err != nil {
		return a, err
	}
	if p.Root != nil {
		if a.root, err = e.openRoot(ctx, *p.Root); err != nil {
			return a, err
		}
	}
	if p.Online != nil {
		if a.online, err = e.openOnline(ctx, *p.Online); err != nil {
			return a, err
		}
	}
	for _, f := range a.folders() {
		t, err := OpenTranscript(f.dir, e.Now)
		if err != nil {
			return a, err
		}
		a.notes = append(a.notes, t)
	}
	lines := []string{"=== " + p.Title, "plan SHA-256 " + a.digest, "participants: " + strings.Join(p.Participants, ", ")}
	for line := range strings.Lines(string(p.text)) {
		lines = append(lines, "| "+strings.TrimRight(line, "\r\n"))
	}
	for _, line := range lines {
		if err := a.notes.note(line); err != nil {
			return a, err
		}
	}
	return a, a.audit(ctx, "ca.ceremony_begun", "ok")
}

// apart refuses a root that is not apart from the installation.
func (e *Env) apart(p *Plan) error {
	if p.Root == nil || p.Online == nil {
		return nil
	}
	root, data := e.path(p.Root.Keys), e.path(p.Online.Data)
	words, file := e.path(p.Root.PassphraseFile), p.Online.PassphraseFile
	if file = e.path(file); file == "" {
		file = filepath.Join(data, passphrase)
	}
	switch {
	case within(root, data) || within(data, root):
		return p.wrong("the root's folder and the online one lie within each other: a root is kept on a medium of its own", "root", "keys")
	case e.RootShares == nil && within(words, data):
		return p.wrong("the root's passphrase is not kept in the online folder", "root", "passphrase-file")
	case e.RootShares == nil && e.Shares == nil && words == file:
		return p.wrong("the root has a passphrase of its own", "root", "passphrase-file")
	}
	if one, _, err := vault.Secret(words, false); err == nil {
		if other, _, err := vault.Secret(file, false); err == nil && bytes.Equal(one, other) {
			return p.wrong("the root's passphrase is that of the online keys", "root", "passphrase-file")
		}
	}
	return nil
}

func (a *act) folders() (all []*folder) {
	for _, f := range []*folder{a.root, a.online} {
		if f != nil {
			all = append(all, f)
		}
	}
	return all
}

func (a *act) note(line string) error {
	if a.env.Tell != nil {
		a.env.Tell(line)
	}
	return a.notes.note(line)
}

// audit writes into the audit log of every place.
func (a *act) audit(ctx context.Context, action, result string) error {
	for _, f := range a.folders() {
		err := f.store.CA().Update(ctx, func(tx ca.Tx) error {
			return tx.Audit(ctx, audit.Event{Action: action, Actor: a.by, Object: a.digest, Result: result,
				Detail: map[string]string{"participants": strings.Join(a.participants, " ")}})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ceremony is the act as package ca sees it.
func (a *act) ceremony() ca.Ceremony {
	c := ca.Ceremony{By: a.by, Now: a.env.Now, Note: a.note}
	if a.online != nil {
		c.Store, c.Keys = a.online.store.CA(), keeping{a, a.online}
	}
	if a.root != nil {
		c.Upper = &ca.Place{Store: a.root.store.CA(), Keys: keeping{a, a.root}}
	}
	return c
}

// end lays the files out, marks what is complete, and writes how it ended.
func (a *act) end(ctx context.Context, err error) error {
	for _, f := range a.folders() {
		if err == nil {
			err = f.lay(ctx)
		}
	}
	if err == nil {
		err = a.audit(ctx, "ca.ceremony_completed", "ok")
	}
	for _, f := range a.folders() {
		if err == nil {
			err = f.mark(a.env.Now())
		}
	}
	if err == nil {
		return errors.Join(a.note("=== completed"), a.close())
	}
	// The end is written even when it came by an interruption.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err = errors.Join(err, a.audit(last, "ca.ceremony_failed", "failed"), a.note("=== FAILED: "+err.Error()))
	for _, line := range a.remains(last) {
		err = errors.Join(err, a.note(line))
	}
	return errors.Join(err, a.close())
}

// remains says what a failed act left, and how to go on.
func (a *act) remains(ctx context.Context) (lines []string) {
	for _, f := range a.folders() {
		if f.fresh {
			lines = append(lines, a.inToken(f, nil)...)
			lines = append(lines, fmt.Sprintf("%s: its first ceremony is not complete; nothing in it is used. To go on: keep this transcript, empty the folder, start again.", f.dir))
			continue
		}
		used := map[string]bool{}
		err := f.store.CA().View(ctx, func(tx ca.Tx) error {
			all, err := tx.Authorities(ctx)
			for _, r := range all {
				used[r.Key] = true
				for _, kind := range []string{ca.SignerOCSP, ca.SignerTSA} {
					if s, err := tx.Signer(ctx, r.Name, kind); err == nil {
						used[s.Key] = true
					}
				}
			}
			return err
		})
		var loose []string
		for _, k := range a.kept {
			if k.in == f && !used[k.name] && !strings.HasPrefix(k.name, ca.TokenKey) {
				loose = append(loose, k.name+".key")
			}
		}
		left := a.inToken(f, used)
		switch {
		case err != nil:
			lines = append(lines, fmt.Sprintf("%s: what is recorded could not be read: %v", f.dir, err))
		case len(loose) > 0:
			lines = append(lines, fmt.Sprintf("%s: sealed but used by nothing: %s. To go on: move them out of %s, start again.", f.dir, strings.Join(loose, " "), filepath.Join(f.dir, vaultDir)))
		case len(left) == 0:
			lines = append(lines, f.dir+": no key was left over; what is recorded here stands as the lines above say.")
		}
		lines = append(lines, left...)
	}
	return lines
}

// inToken names the keys that this act left in a token without anything that uses them.
func (a *act) inToken(f *folder, used map[string]bool) []string {
	var loose []string
	for _, k := range a.kept {
		if name, ok := strings.CutPrefix(k.name, ca.TokenKey); ok && k.in == f && !used[k.name] {
			loose = append(loose, name)
		}
	}
	if len(loose) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s: in its token but used by nothing: %s. To go on: delete them there with the token's own tools, start again.", f.dir, strings.Join(loose, " "))}
}

func (a *act) close() error {
	err := a.notes.close()
	a.notes = nil
	for _, f := range a.folders() {
		err = errors.Join(err, f.close())
	}
	return err
}
