package agent

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"senim/internal/ident"
	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/ncalayer"
	"senim/pfx"
	"senim/pki"
)

// keys answers a call of kz.senim.keys.
func (t *talk) keys(ctx context.Context, r *ncalayer.Request) ([]byte, string) {
	var (
		result  any
		refusal *ncalayer.Refusal
	)
	switch r.Method {
	case "generate":
		result, refusal = t.generate(ctx, r)
	case "install":
		result, refusal = t.install(ctx, r)
	case "list":
		result, refusal = t.list(ctx, r)
	case "generateMany":
		result, refusal = t.generateMany(ctx, r)
	case "signMany":
		result, refusal = t.signMany(ctx, r)
	case "installMany":
		result, refusal = t.installMany(ctx, r)
	case string(ActRenew), string(ActPassword), string(ActBackup), string(ActCompare):
		result, refusal = t.own(ctx, r)
	default:
		refusal = r.UndefinedMethod()
	}
	switch {
	case refusal != nil:
		return refusal.Reply(), refusal.Code
	case result == nil:
		return ncalayer.BasicsCanceled(), "canceled"
	}
	return ncalayer.BasicsReply(result), "ok"
}

// asRefusal gives a failure of the keystore the code its reason belongs to. Details never carry a path.
func asRefusal(err error, otherwise string) *ncalayer.Refusal {
	f, ok := errors.AsType[*keystore.Failure](err)
	if !ok {
		return &ncalayer.Refusal{Code: ncalayer.CodeInvocation, Details: "internal: the agent failed"}
	}
	code := otherwise
	switch f.Reason {
	case "not_a_certificate", "no_pending_key", "duplicate", "expired":
		code = ncalayer.CodeNotImportable
	}
	text := f.Error()
	if errors.Is(err, keystore.ErrToken) {
		text = f.Reason + ": " + keystore.ErrToken.Error()
	} else if errors.Is(err, keystore.ErrCannot) {
		text = f.Reason + ": " + keystore.ErrCannot.Error()
	} else if errors.Is(err, keystore.ErrNoKeychain) {
		text = f.Reason + ": " + keystore.ErrNoKeychain.Error()
	} else if _, path := errors.AsType[*os.PathError](err); path {
		text = f.Reason + ": the disk refused"
	} else if _, path := errors.AsType[*os.LinkError](err); path {
		text = f.Reason + ": the disk refused"
	}
	return &ncalayer.Refusal{Code: code, Details: text}
}

// refuse shows why a request is refused, then answers it. Nothing about the keys here is told
// without a window.
func (t *talk) refuse(ctx context.Context, window lang.Tag, r *ncalayer.Refusal) *ncalayer.Refusal {
	reason, text, _ := strings.Cut(r.Details, ": ")
	if key := "agent.refused." + reason; lang.Has(key) {
		text = window.Text(key)
	}
	t.agent.show(ctx, t.site, window, refused{why: text})
	return r
}

func (t *talk) generate(ctx context.Context, r *ncalayer.Request) (any, *ncalayer.Refusal) {
	call, refusal := r.Generate()
	if refusal != nil {
		return nil, refusal
	}
	window := tag(call.Locale, lang.KK)
	order := orderOf(t.site.Origin, *call)
	made, err := t.agent.keeper.Made(order)
	if err != nil {
		return nil, t.refuse(ctx, window, asRefusal(err, ncalayer.CodeGenerating))
	}
	if order.Storage != "" && len(made) == 0 && !slices.Contains(t.agent.plugged(), order.Storage) {
		return nil, t.refuse(ctx, window, &ncalayer.Refusal{Code: ncalayer.CodeGenerating, Details: "storage_unavailable: the token is not plugged in"})
	}
	out := t.agent.show(ctx, t.site, window, &generating{order: order, hint: call.Folder, token: call.Token, again: len(made) > 0})
	if out.err != nil {
		return nil, asRefusal(out.err, ncalayer.CodeGenerating)
	}
	if !out.done {
		return nil, nil
	}
	return out.result, nil
}

// generating is the consent to make new key pairs.
type generating struct {
	order keystore.Order
	hint  string
	token string // the label the page wants, "" for any
	again bool
}

// forced: the key must be under a password, as there is nowhere else to keep its secret now.
func (t *generating) forced(w *window) bool {
	return t.order.Storage == "" && w.agent.config.AskPending && !w.agent.keeper.Keychained()
}

// tokens are those that may take the keys.
func (t *generating) tokens(w *window) []keystore.PluggedToken {
	var list []keystore.PluggedToken
	for _, p := range w.tokens {
		if keystore.SameStorage(p.Storage, t.order.Storage) && p.Label != "" && (t.token == "" || t.token == p.Label) {
			p.Storage = t.order.Storage
			list = append(list, p)
		}
	}
	return list
}

func (*generating) kind() string { return "generate" }
func (*generating) wish() wish   { return wish{} }

func (t *generating) show(w *window, v *View) {
	tag, s := w.lang, t.order.Subject
	v.Again, v.Sealed = t.again, t.forced(w)
	for _, p := range []Pair{
		{"name", strings.TrimSpace(s.CommonName + " " + s.Given)}, {"iin", ident.FormatIIN(s.IIN)}, {"organization", s.Organization},
		{"bin", ident.FormatIIN(s.BIN)}, {"email", s.Email}, {"request", t.order.RequestID},
	} {
		if p.Value != "" {
			v.Owner = append(v.Owner, Pair{tag.Text("agent.owner." + p.Name), p.Value})
		}
	}
	for _, p := range t.order.Profiles {
		v.Profiles = append(v.Profiles, tag.Text("agent.profile."+p.Algorithm+"-"+p.Usage))
	}
	if t.order.Storage != "" {
		t.showTokens(w, v)
		return
	}
	w.proposeFolder(v, t.hint)
}

func (t *generating) showTokens(w *window, v *View) {
	v.Storage = t.order.Storage
	for _, p := range t.tokens(w) {
		v.Tokens = append(v.Tokens, TokenRow{ID: p.ID, Label: p.Label, Serial: p.Serial})
	}
	if len(v.Tokens) == 0 && !t.again {
		v.Warnings = append(v.Warnings, Remark{"no-token", "amber", w.lang.Text("agent.token.none", "name", w.lang.Text("home.token."+t.order.Storage))})
		v.Named = shortened(t.token)
	}
	v.Warnings = append(v.Warnings, w.unreadable(t.order.Storage)...)
}

func (t *generating) decide(ctx context.Context, w *window, d Decision) (outcome, *Problem) {
	order := t.order
	switch {
	case t.again: // they are where they are
	case order.Storage != "":
		list := t.tokens(w)
		i := slices.IndexFunc(list, func(p keystore.PluggedToken) bool { return p.ID == d.Token })
		if i < 0 {
			return outcome{}, &Problem{Code: "choose_token", Field: "token"}
		}
		place, p := w.place(list[i], d.Password)
		if p != nil {
			return outcome{}, p
		}
		defer w.let(place)
		order.On = place
	default:
		if forced := t.forced(w); forced || d.Confirm {
			if forced && !d.Confirm && d.NewPassword == "" { // the keychain may have been open when the window came
				return outcome{}, &Problem{Code: "no_keychain", Field: "new-password"}
			}
			if p := w.newPasswords(ctx, d, replacedByOrder(order)); p != nil {
				return outcome{}, p
			}
			order.Password = d.NewPassword
		}
		var p *Problem
		if order.Folder, p = d.folder(); p != nil {
			return outcome{}, p
		}
	}
	notes, err := w.agent.keeper.Generate(order)
	if err != nil {
		return outcome{err: w.agent.failed(err)}, nil
	}
	return outcome{done: true, result: ncalayer.Generated{RequestID: order.RequestID, Keys: w.agent.generated(notes)}}, nil
}

// generated are the keys of an order as a page is told of them; from now on keys are looked for where their files are.
func (a *Agent) generated(notes []keystore.Note) (keys []ncalayer.GeneratedKey) {
	for _, n := range notes {
		if !n.OnToken() {
			a.watch(n.Folder)
		}
		keys = append(keys, ncalayer.GeneratedKey{
			Algorithm: n.Algorithm, Usage: n.Usage, KeyID: n.KeyID, CSR: base64.StdEncoding.EncodeToString(n.Request),
		})
	}
	return keys
}

func (t *talk) install(ctx context.Context, r *ncalayer.Request) (any, *ncalayer.Refusal) {
	call, refusal := r.Install()
	if refusal != nil {
		return nil, refusal
	}
	window := tag(call.Locale, lang.KK)
	if refusal := firstSignatures(call.Challenge, t.site); refusal != nil {
		return nil, t.refuse(ctx, window, refusal)
	}
	certs, refusal := certificates(*call)
	if refusal != nil {
		return nil, refusal
	}
	matches, err := t.agent.keeper.Match(certs, t.agent.looked()...)
	if err != nil {
		return nil, t.refuse(ctx, window, asRefusal(err, ncalayer.CodeImporting))
	}
	if mixed(matches) {
		return nil, t.refuse(ctx, window, &ncalayer.Refusal{Code: ncalayer.CodeNotImportable, Details: "several_places: these keys are in different places: install them one after the other"})
	}
	out := t.agent.show(ctx, t.site, window, &installing{requestID: call.RequestID, certs: certs, matches: matches, origin: t.site.Origin, challenge: call.Challenge})
	if out.err != nil {
		return nil, asRefusal(out.err, ncalayer.CodeImporting)
	}
	if !out.done {
		return nil, nil
	}
	return out.result, nil
}

// installing is the consent to finish key files.
type installing struct {
	requestID string
	origin    string
	challenge string
	certs     []*pki.Certificate
	matches   []keystore.Match
	kept      bool // a file was there already, under another password than the one given now
}

func (*installing) kind() string { return "install" }
func (*installing) wish() wish   { return wish{} }

// mixed tells whether keys are in files and on tokens, or on several tokens: they have no password in common.
func mixed(matches []keystore.Match) bool {
	return slices.ContainsFunc(matches, func(m keystore.Match) bool {
		n, first := m.Note, matches[0].Note
		return n.Storage != first.Storage || n.Token != first.Token || n.Serial != first.Serial
	})
}

// strange gives the first key of which it is not known that this site had it made.
func (t *installing) strange() (m keystore.Match, is bool) { return strangeTo(t.origin, t.matches) }

func strangeTo(origin string, matches []keystore.Match) (m keystore.Match, is bool) {
	i := slices.IndexFunc(matches, func(m keystore.Match) bool { return m.Stray || m.Note.Origin != origin })
	if i < 0 {
		return m, false
	}
	return matches[i], true
}

// unconfirmed: the person has not said yet that this site may.
func unconfirmed(d Decision, stranger func() (keystore.Match, bool)) *Problem {
	if _, strange := stranger(); strange && !d.Confirm {
		return &Problem{Code: "confirm", Field: "confirm"}
	}
	return nil
}

// warnOfStranger says of such a key who had it made, as far as that is known, and asks whether this site may.
func (v *View) warnOfStranger(tag lang.Tag, stranger func() (keystore.Match, bool)) {
	m, strange := stranger()
	if !strange {
		return
	}
	warning := Remark{"other-origin", "red", tag.Text("agent.warning.other-origin", "origin", cmp.Or(m.Note.Origin, tag.Text("agent.site.program")))}
	if m.Stray {
		warning = Remark{"stray", "amber", tag.Text("agent.warning.stray")}
	}
	v.Warnings, v.Confirm = append(v.Warnings, warning), tag.Text("agent.ui.confirm-origin")
}

// sayFirstSignature says that the new keys will sign once that they are installed.
func (v *View) sayFirstSignature(tag lang.Tag, challenge string) {
	if challenge != "" {
		v.Warnings = append(v.Warnings, Remark{"first-signature", "info", tag.Text("agent.install.first-signature")})
	}
}

// sealed tells whether a key is under a password that was given when it was made, and is asked for now.
func (t *installing) sealed() bool {
	return slices.ContainsFunc(t.matches, isSealed)
}

func isSealed(m keystore.Match) bool { return m.Note.Sealed && m.Note.State != keystore.Finished }

func (t *installing) show(w *window, v *View) {
	w.showFinished(v, t.matches)
	v.Token, v.Sealed = t.matches[0].Note.Token, t.sealed()
	v.warnOfStranger(w.lang, t.strange)
	v.sayFirstSignature(w.lang, t.challenge)
}

// showFinished lists the files that certificates make of keys that wait, and where; an issuer that is not known is told once.
func (w *window) showFinished(v *View, matches []keystore.Match) {
	var folders, unknown []string
	for _, m := range matches {
		card := w.agent.card(m.Certificate, w.lang)
		v.Certificates = append(v.Certificates, NewFile{File: m.FinalName(), Card: card})
		if !card.IssuerKnown && !slices.Contains(unknown, card.Issuer) {
			unknown = append(unknown, card.Issuer)
			v.Warnings = append(v.Warnings, Remark{"unknown-issuer", "amber", w.lang.Text("agent.reason.unknown-issuer", "issuer", card.Issuer)})
		}
		if !slices.Contains(folders, m.Note.Folder) {
			folders = append(folders, m.Note.Folder)
		}
	}
	v.Folder = strings.Join(folders, ", ")
}

func (t *installing) decide(ctx context.Context, w *window, d Decision) (outcome, *Problem) {
	if t.matches[0].Note.OnToken() {
		return t.certify(w, d)
	}
	if p := w.newPasswords(ctx, d, replacedBy(t.certs...)); p != nil {
		return outcome{}, p
	}
	if p := unconfirmed(d, t.strange); p != nil {
		return outcome{}, p
	}
	if err := w.agent.keeper.Adopt(t.certs, w.agent.looked(), t.origin); err != nil {
		return outcome{err: err}, nil
	}
	sealed := map[string]string{} // they were made together, under one password
	for _, m := range t.matches {
		sealed[m.Note.KeyID] = d.Password
	}
	files, err := w.agent.keeper.InstallSealed(t.certs, d.NewPassword, sealed)
	if f, is := errors.AsType[*keystore.Failure](err); is && f.Reason == "pending_password" {
		return outcome{}, &Problem{Code: "pending_password", Field: "pending-password"}
	}
	if otherPassword(err) {
		return outcome{}, &Problem{Code: "first_password", Field: "new-password"}
	}
	if err != nil {
		return outcome{err: err}, nil
	}
	t.kept = keptPassword(files)
	out := ncalayer.Installed{RequestID: t.requestID, Files: w.agent.told(files, t.certs, t.challenge)}
	return outcome{done: true, result: out}, nil
}

// certify puts the certificates on the token where their keys are.
func (t *installing) certify(w *window, d Decision) (outcome, *Problem) {
	if p := unconfirmed(d, t.strange); p != nil {
		return outcome{}, p
	}
	w.scan() // it may have been plugged in meanwhile
	at, there := w.tokenOf(t.matches[0].Note)
	if !there {
		return outcome{}, &Problem{Code: "token_away", Text: w.lang.Text("agent.problem.token_away", "name", t.matches[0].Note.Token)}
	}
	place, p := w.place(at, d.Password)
	if p != nil {
		return outcome{}, p
	}
	defer w.let(place)
	files, err := w.agent.keeper.Certify(t.certs, place)
	if err != nil {
		return outcome{err: w.agent.failed(err)}, nil
	}
	return outcome{done: true, result: ncalayer.Installed{RequestID: t.requestID, Files: w.agent.told(files, t.certs, t.challenge)}}, nil
}

func (t *installing) said(tag lang.Tag) string {
	if t.matches[0].Note.OnToken() {
		return tag.Text("agent.done.install_token")
	}
	return saidInstalled(tag, t.kind(), t.kept)
}

// saidInstalled says which password holds when it is not the one that was given now.
func saidInstalled(tag lang.Tag, kind string, kept bool) string {
	if kept {
		return tag.Text("agent.done.first_password")
	}
	return tag.Text("agent.done." + kind)
}

// otherPassword tells whether a part of the files stands under another password than the rest would have.
func otherPassword(err error) bool {
	f, is := errors.AsType[*keystore.Failure](err)
	return is && f.Reason == "other_password"
}

func keptPassword(files []keystore.Installed) bool {
	return slices.ContainsFunc(files, func(f keystore.Installed) bool { return f.OtherPassword })
}

// newPasswords checks the password that is typed twice for a file.
func (d Decision) newPasswords() *Problem {
	if err := pfx.CheckPassword(d.NewPassword); err != nil {
		return &Problem{Code: passwordCode(err), Field: "new-password"}
	}
	if d.NewPassword != d.NewPassword2 {
		return &Problem{Code: "passwords_differ", Field: "new-password-2"}
	}
	return nil
}

func passwordCode(err error) string {
	switch {
	case errors.Is(err, pfx.ErrPasswordLength):
		return "password_length"
	case errors.Is(err, pfx.ErrPasswordCharset):
		return "password_charset"
	case errors.Is(err, pfx.ErrPasswordClasses):
		return "password_classes"
	}
	return "password_default"
}

// remember makes a file just finished known, so that the next window shows its owner.
func (a *Agent) remember(path string, cert *pki.Certificate) {
	for _, f := range keystore.Scan([]string{filepath.Dir(path)}) {
		if f.Path == path {
			a.known.learn(f, cert)
		}
	}
}
