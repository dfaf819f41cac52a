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
	"senim/internal/ncalayer"
	"senim/pki"
)

// heldFor is how long a key file stays open for one connection of an old page.
const heldFor = 10 * time.Minute

// held is a key that the person opened for one connection. It answers questions about the
// certificate; every signature still asks. A token is let go at once: of its key only the certificate stays, and each
// signature takes the PIN.
type held struct {
	files  []keystore.File // one, or the keys of a Java key store
	keys   map[string]*keystore.Key
	chosen *keystore.Key // opened last: what a page means that names no key
	until  time.Time
}

// entries are the certificates the file holds, the one that ends last first.
func (h held) entries() []keystore.Entry {
	if h.chosen == nil {
		return nil
	}
	list := slices.Clone(h.chosen.Beside)
	if len(list) == 0 {
		list = []keystore.Entry{{Certificate: h.chosen.Certificate}}
	}
	slices.SortStableFunc(list, func(a, b keystore.Entry) int { return b.Certificate.NotAfter.Compare(a.Certificate.NotAfter) })
	return list
}

// named finds the key a page names; "" is the one the person chose.
func (h held) named(alias string) (*pki.Certificate, error) {
	if alias == "" {
		return h.chosen.Certificate, nil
	}
	for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
		for _, e := range h.entries() {
			if slices.ContainsFunc(aliases(e), func(a string) bool { return same(a, alias) }) {
				return e.Certificate, nil
			}
		}
	}
	return nil, appletError(ncalayer.AppletNoKey)
}

// aliases are the names of a key inside its file: first the one getKeys gives.
func aliases(e keystore.Entry) []string {
	ski := keyInfo(e.Certificate).Alias
	if e.Alias == "" {
		return []string{ski}
	}
	return []string{line(e.Alias), ski}
}

// line is a text as a field of getKeys can have it.
func line(s string) string { return strings.NewReplacer("|", " ", "\n", " ", "\r", " ").Replace(s) }

// appletError is a failure in the Applet's own words.
type appletError string

func (e appletError) Error() string { return string(e) }

// wrongPIN is the answer after a PIN the token refused and a window that was closed then: how many tries are left, as far as
// the token tells; -1 when it does not.
type wrongPIN int

func (wrongPIN) Error() string { return ncalayer.AppletPassword }

// applet answers a call of the oldest module. Its pages ask for the password of the key themselves and
// send it along; it is read past, and the person is told that it was not needed.
func (t *talk) applet(ctx context.Context, r *ncalayer.Request) ([]byte, string) {
	call, reply := r.Applet()
	if reply != nil {
		return reply, "refused"
	}
	if call.Method == "setLocale" { // never answered
		if l, ok := lang.Parse(call.Locale); ok {
			t.locale = string(l)
		}
		return nil, "ok"
	}
	result, err := t.appletCall(ctx, call, tag(t.locale, lang.RU))
	if err == nil {
		return ncalayer.AppletReply(result, call.UUID), "ok"
	}
	code := ncalayer.AppletCommon
	if e, ok := errors.AsType[appletError](err); ok {
		code = string(e)
	}
	if left, ok := errors.AsType[wrongPIN](err); ok {
		return ncalayer.AppletWrongPIN(int(left), call.UUID), ncalayer.AppletPassword
	}
	return ncalayer.AppletError(code, call.UUID), code
}

func (t *talk) appletCall(ctx context.Context, call *ncalayer.AppletCall, window lang.Tag) (any, error) {
	if call.Token() && !slices.Contains(t.agent.plugged(), call.Storage) {
		t.noDriver(ctx, call.Storage, window)
		return nil, appletError(ncalayer.AppletSlot)
	}
	switch call.Method {
	case "browseKeyStore", "showFileChooser":
		if call.Token() { // it has no path
			name, _, _ := strings.Cut(t.slotNames(call.Storage), "\n")
			return name, nil
		}
		path, _ := t.choose(ctx, window, choosing{
			keys: call.Method == "browseKeyStore", suffix: suffixOf(call.Extension), start: call.Folder,
		})
		return path, nil
	case "loadSlotList":
		return t.slotNames(call.Storage), nil // key files have none
	case "getHash":
		return appletHash(call)
	case "verifyXml":
		return t.agent.appletVerifyXML(ctx, call)
	case "verifyCMSSignature":
		return appletVerifyCMS(call.Signature, []byte(call.Text))
	case "verifyCMSSignatureFromFile":
		_, content, err := t.readLocal(ctx, call.File, window)
		if err != nil {
			return nil, appletError(ncalayer.AppletFile)
		}
		return appletVerifyCMS(call.Signature, content)
	case "signPlainData", "createCMSSignature", "createCMSSignatureFromFile", "signXml", "signXmlByElementId":
		return t.appletSign(ctx, call, window)
	}
	h, err := t.container(ctx, call, window)
	if err != nil {
		return nil, err
	}
	if call.Method == "getKeys" {
		return appletKeys(h.entries(), call.Kind)
	}
	cert, err := h.named(call.Alias)
	if err != nil {
		return nil, err
	}
	if call.Method == "verifyPlainData" {
		return appletVerifyPlain(cert, call)
	}
	return appletAbout(cert, call)
}

// container gives the key store a page names, opened before on this connection or now.
func (t *talk) container(ctx context.Context, call *ncalayer.AppletCall, window lang.Tag) (held, error) {
	if h, ok := t.stillOpen(heldAs(call)); ok {
		return h, nil
	}
	wanted := wishOf(call)
	wanted.allowExpired, wanted.allowRevoked = true, true
	task := &signing{info: true, wanted: wanted}
	task.act = func(_ context.Context, key *keystore.Key) (any, error) { return key, nil }
	out, err := t.askContainer(ctx, call, window, task)
	if err != nil {
		return held{}, err
	}
	return held{chosen: out.(*keystore.Key)}, nil
}

// heldAs names what a page calls a key store: a file by its path, a token by storage and slot.
func heldAs(call *ncalayer.AppletCall) string {
	if call.Token() {
		return call.Storage + "\x00" + call.Path
	}
	return call.Path
}

// wishOf is which keys fit a page that names a storage: any file does where a file is named.
func wishOf(call *ncalayer.AppletCall) wish {
	if call.Token() {
		return wish{others: []string{call.Storage}}
	}
	return wish{files: true, others: []string{keystore.JKS}}
}

// stillOpen finds a key opened before on this connection. A site that was sent away has none.
func (t *talk) stillOpen(name string) (held, bool) {
	h, ok := t.held[name]
	if ok && !t.agent.now().Before(h.until) || t.agent.blocked(t.site) {
		delete(t.held, name)
		return held{}, false
	}
	return h, ok
}

// askContainer shows a window with the one key file a page named, or with the keys of the token. Whether there is such a file is told
// to the person, not to the page: it gets its answer after a window in either case.
func (t *talk) askContainer(ctx context.Context, call *ncalayer.AppletCall, window lang.Tag, task *signing) (any, error) {
	name := heldAs(call)
	h, open := t.stillOpen(name)
	if !open {
		h.keys, h.until = map[string]*keystore.Key{}, t.agent.now().Add(heldFor)
	}
	switch {
	case call.Token():
		if h.files = t.slotKeys(call); len(h.files) == 0 {
			return nil, appletError(ncalayer.AppletSlot)
		}
	case !open:
		if l, err := t.agent.locate(call.Path); err == nil {
			h.files = keystore.Scan([]string{l.path})
		}
		if len(h.files) == 0 {
			if out := t.agent.show(ctx, t.site, window, refused{window.Text("agent.refused.no-key-file"), call.Path}); out.err == nil {
				return nil, appletError(ncalayer.AppletCommon) // as for a file whose window was not shown
			}
			return nil, appletError(ncalayer.AppletKeyStore)
		}
	}
	task.warnings = append(task.warnings, Remark{"password-asked", "amber", window.Text("agent.warning.password-asked")})
	few := &fewKeys{signing: task, files: h.files, keys: h.keys}
	if !call.Token() {
		few.files = t.agent.wanted(h, call.Alias)
		if n := len(h.files); task.info && n > 1 {
			task.warnings = append(task.warnings, Remark{"all-keys", "amber", window.Text("agent.warning.all-keys", "n", n)})
		}
	}
	out := t.agent.show(ctx, t.site, window, few)
	if few.used != nil {
		if h.chosen = few.used; !call.Token() {
			h.keys[few.id] = few.used
		}
		if t.held == nil {
			t.held = map[string]held{}
		}
		t.held[name] = h
	}
	switch {
	case out.err != nil:
		return nil, out.err
	case !out.done && few.wrong != nil:
		return nil, *few.wrong
	case !out.done:
		return nil, appletError(ncalayer.AppletCommon)
	}
	return out.result, nil
}

// wanted are the keys of a file that may be the one a page names: all of them while their certificates are not known.
func (a *Agent) wanted(h held, alias string) []keystore.File {
	if alias == "" {
		return h.files
	}
	for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
		for _, f := range h.files {
			if f.Entry != "" && same(line(f.Entry), alias) {
				return []keystore.File{f}
			}
		}
	}
	for _, f := range h.files {
		if cert := a.known.find(f.ID); cert != nil && strings.EqualFold(keyInfo(cert).Alias, alias) {
			return []keystore.File{f}
		}
	}
	return h.files
}

// fewKeys is a signature, or a look, with the keys of one file only, or with those of a token.
type fewKeys struct {
	*signing
	files []keystore.File
	keys  map[string]*keystore.Key // open for this connection
	used  *keystore.Key            // set by a decision
	id    string                   // of it
	wrong *wrongPIN                // the token refused the last PIN
}

func (t *fewKeys) decide(ctx context.Context, w *window, d Decision) (outcome, *Problem) {
	key := w.opened[d.Key] // as it was opened, whatever the act is given
	out, p := t.signing.decide(ctx, w, d)
	if out.done {
		t.used, t.id = key, d.Key
		if key.Storage != keystore.PKCS12 && key.Storage != keystore.JKS { // the token is let go
			t.used = &keystore.Key{Certificate: key.Certificate, Storage: key.Storage}
		}
	}
	return out, p
}

// tried is told how the PIN of a token was taken; called in the window's turn.
func (t *fewKeys) tried(err error) {
	left := wrongPIN(-1)
	switch {
	case err == nil:
		t.wrong = nil
		return
	case errors.Is(err, keystore.ErrLastTry):
		left = 1
	case errors.Is(err, keystore.ErrLocked):
		left = 0
	}
	t.wrong = &left
}

// keyFiles gives the window those keys alone, open when they are open for this connection.
func (t *fewKeys) keyFiles() ([]keystore.File, map[string]*keystore.Key) {
	opened := map[string]*keystore.Key{}
	for _, f := range t.files {
		if key := t.keys[f.ID]; key != nil {
			opened[f.ID] = key
		}
	}
	return t.files, opened
}

// slotNames names the tokens of a storage that are plugged in, one a line. A label may have a person's name in it, so the
// names say which kind of token it is and nothing else; on one connection a name stays with its token.
func (t *talk) slotNames(storage string) string {
	var names []string
	for _, p := range t.agent.seenLast().Tokens {
		if p.Label != "" && keystore.SameStorage(p.Storage, storage) {
			names = append(names, t.slotName(storage, p.ID))
		}
	}
	slices.Sort(names)
	return strings.Join(names, "\n")
}

func (t *talk) slotName(storage, id string) string {
	list := t.slots[storage]
	i := slices.Index(list, id)
	if i < 0 {
		if t.slots == nil {
			t.slots = map[string][]string{}
		}
		t.slots[storage], i = append(list, id), len(list)
	}
	return lang.EN.Text("home.token."+storage) + " " + strconv.Itoa(i+1)
}

// slotKeys are the keys on the token a page names by its slot, or on all of the storage when it names none.
func (t *talk) slotKeys(call *ncalayer.AppletCall) []keystore.File {
	seen, on := t.agent.seenLast(), map[string]bool{}
	for _, p := range seen.Tokens {
		if keystore.SameStorage(p.Storage, call.Storage) && (call.Path == "" || t.slotName(call.Storage, p.ID) == call.Path) {
			on[p.ID] = true
		}
	}
	list := slices.DeleteFunc(slices.Clone(seen.Files), func(f keystore.File) bool { return !on[f.Token()] })
	meant := slices.DeleteFunc(slices.Clone(list), func(f keystore.File) bool {
		return call.Alias == "" || alias(&keystore.Key{Certificate: f.Certificate()}, call.Alias) != nil
	})
	if len(meant) > 0 {
		return meant
	}
	return list // whether the token has that key, the page learns after the window
}

// alias checks that a key is the one a page names.
func alias(key *keystore.Key, named string) error {
	_, err := held{chosen: &keystore.Key{Certificate: key.Certificate, Beside: []keystore.Entry{{Alias: key.Alias, Certificate: key.Certificate}}}}.named(named)
	return err
}

// appletAbout answers the questions about the certificate of an open file.
func appletAbout(c *pki.Certificate, call *ncalayer.AppletCall) (any, error) {
	const form = "02.01.2006 15:04:05"
	switch call.Method {
	case "getNotBefore":
		return c.NotBefore.Local().Format(form), nil
	case "getNotAfter":
		return c.NotAfter.Local().Format(form), nil
	case "getSubjectDN":
		return c.Subject.String(), nil
	case "getIssuerDN":
		return c.Issuer.String(), nil
	}
	return rdn(c.Subject, call.OID, call.Index)
}

// appletKeys are the lines of the keys in a file: algorithm, name, serial number and alias.
func appletKeys(entries []keystore.Entry, kind string) (any, error) {
	var lines []string
	for _, e := range entries {
		c := e.Certificate
		signs, signsIn := c.HasUsage(pki.EmailProtection), c.HasUsage(pki.ClientAuth)
		if kind == "SIGN" && !signs || kind == "AUTH" && !signsIn && !c.HasPolicy(pki.PolicyNCA) {
			continue
		}
		info := keyInfo(c)
		algorithm := "ГОСТ"
		if info.Algorithm == "RSA" {
			algorithm = "RSA"
		}
		lines = append(lines, algorithm+"|"+line(info.SubjectCN)+"|"+info.Serial+"|"+aliases(e)[0])
	}
	if len(lines) == 0 {
		return nil, appletError(ncalayer.AppletNoKey)
	}
	return strings.Join(lines, "\n"), nil
}

// rdn gives the value of one part of a name, counted from 0 where there are several.
func rdn(name pki.Name, oid string, index int) (any, error) {
	id, err := pki.ParseOID(oid)
	if err != nil {
		return nil, appletError(ncalayer.AppletNoRDN)
	}
	for _, a := range name {
		if !a.OID.Equal(id) {
			continue
		}
		if index == 0 {
			return a.Value, nil
		}
		index--
	}
	return nil, appletError(ncalayer.AppletNoRDN)
}
