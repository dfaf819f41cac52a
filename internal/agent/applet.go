package agent

import (
	"context"
	"encoding/asn1"
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

// held is a key file that the person opened for one connection. It answers questions about the
// certificate; every signature still asks.
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
	return ncalayer.AppletError(code, call.UUID), code
}

func (t *talk) appletCall(ctx context.Context, call *ncalayer.AppletCall, window lang.Tag) (any, error) {
	switch call.Method {
	case "browseKeyStore", "showFileChooser":
		path, _ := t.choose(ctx, window, choosing{
			keys: call.Method == "browseKeyStore", suffix: suffixOf(call.Extension), start: call.Folder,
		})
		return path, nil
	case "loadSlotList":
		return "", nil // key files have no slots
	case "getHash":
		return appletHash(call)
	case "verifyXml":
		return appletVerifyXML(call)
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

// container gives the file a page names, opened before on this connection or now.
func (t *talk) container(ctx context.Context, call *ncalayer.AppletCall, window lang.Tag) (held, error) {
	if h, ok := t.stillOpen(call.Path); ok {
		return h, nil
	}
	task := &signing{info: true, wanted: wish{files: true, others: []string{keystore.JKS}, allowExpired: true, allowRevoked: true}}
	task.act = func(_ context.Context, key *keystore.Key) (any, error) { return key, nil }
	out, err := t.askContainer(ctx, call, window, task)
	if err != nil {
		return held{}, err
	}
	return held{chosen: out.(*keystore.Key)}, nil
}

// stillOpen finds a file opened before on this connection. A site that was sent away has none.
func (t *talk) stillOpen(path string) (held, bool) {
	h, ok := t.held[path]
	if ok && !t.agent.now().Before(h.until) || t.agent.blocked(t.site) {
		delete(t.held, path)
		return held{}, false
	}
	return h, ok
}

// askContainer shows a window with the one key file a page named. Whether there is such a file is told
// to the person, not to the page: it gets its answer after a window in either case.
func (t *talk) askContainer(ctx context.Context, call *ncalayer.AppletCall, window lang.Tag, task *signing) (any, error) {
	path := call.Path
	h, open := t.stillOpen(path)
	if !open {
		if l, err := t.agent.locate(path); err == nil {
			h.files = keystore.Scan([]string{l.path})
		}
		if len(h.files) == 0 {
			if out := t.agent.show(ctx, t.site, window, refused{window.Text("agent.refused.no-key-file", "path", path)}); out.err == nil {
				return nil, appletError(ncalayer.AppletCommon) // as for a file whose window was not shown
			}
			return nil, appletError(ncalayer.AppletKeyStore)
		}
		h.keys, h.until = map[string]*keystore.Key{}, t.agent.now().Add(heldFor)
	}
	task.warnings = append(task.warnings, Remark{"password-asked", "amber", window.Text("agent.warning.password-asked")})
	if n := len(h.files); task.info && n > 1 {
		task.warnings = append(task.warnings, Remark{"all-keys", "amber", window.Text("agent.warning.all-keys", "n", n)})
	}
	one := &oneFile{signing: task, files: t.agent.wanted(h, call.Alias), keys: h.keys}
	out := t.agent.show(ctx, t.site, window, one)
	if one.opened != nil {
		h.keys[one.id], h.chosen = one.opened, one.opened
		if t.held == nil {
			t.held = map[string]held{}
		}
		t.held[path] = h
	}
	switch {
	case out.err != nil:
		return nil, out.err
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

// oneFile is a signature, or a look, with the key of one file only.
type oneFile struct {
	*signing
	files  []keystore.File
	keys   map[string]*keystore.Key // open for this connection
	opened *keystore.Key            // set by a decision
	id     string                   // of it
}

func (t *oneFile) decide(ctx context.Context, w *window, d Decision) (outcome, *Problem) {
	key := w.opened[d.Key] // as it was opened, whatever the act is given
	out, p := t.signing.decide(ctx, w, d)
	if out.done {
		t.opened, t.id = key, d.Key
	}
	return out, p
}

// keyFiles gives the window that file alone, open when it is open for this connection.
func (t *oneFile) keyFiles() ([]keystore.File, map[string]*keystore.Key) {
	opened := map[string]*keystore.Key{}
	for _, f := range t.files {
		if key := t.keys[f.ID]; key != nil {
			opened[f.ID] = key
		}
	}
	return t.files, opened
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
	var id asn1.ObjectIdentifier
	for _, part := range strings.Split(oid, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, appletError(ncalayer.AppletNoRDN)
		}
		id = append(id, n)
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
