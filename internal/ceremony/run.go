package ceremony

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"senim/internal/ca"
	"senim/internal/keyring"
	"senim/internal/store"
	"senim/internal/vault"
	"senim/pki"
)

// Run carries a plan out.
func (e *Env) Run(ctx context.Context, p *Plan) error {
	if err := e.Check(ctx, p, func(string) {}); err != nil {
		return err
	}
	a, err := e.begin(ctx, p)
	if err != nil {
		return fmt.Errorf("begin the ceremony: %w", err)
	}
	return a.end(ctx, p.placed(e.acts(ctx, p, a.ceremony())))
}

// acts are those of the plan, in an order in which a later one may need an earlier.
func (e *Env) acts(ctx context.Context, p *Plan, c ca.Ceremony) error {
	for _, r := range p.Revoke {
		serial, err := e.serial(r)
		if err == nil {
			_, err = ca.RevokeAuthority(ctx, c, r.By, serial, reasons()[r.Reason])
		}
		if err != nil {
			return err
		}
	}
	if len(p.Authorities) > 0 {
		c := c
		c.Authorities, _ = p.authorities()
		if err := ca.Create(ctx, c); err != nil {
			return err
		}
	}
	for i := range p.Sign {
		if err := e.sign(ctx, p, c, i, false); err != nil {
			return err
		}
	}
	for _, name := range p.Lists {
		if _, err := ca.UpperList(ctx, c, name); err != nil {
			return err
		}
	}
	return nil
}

func (p *Plan) authorities() (all []ca.AuthorityPlan, err error) {
	for i, a := range p.Authorities {
		one, err := p.authority(a, "authorities", i)
		if err != nil {
			return nil, err
		}
		one.Token = p.token(one) != nil
		all = append(all, one)
	}
	return all, nil
}

// sign signs one request, or looks whether it would, and lays the certificate beside the others.
func (e *Env) sign(ctx context.Context, p *Plan, c ca.Ceremony, i int, only bool) error {
	one, err := p.authority(p.Sign[i].Authority, "sign", i)
	if err != nil {
		return err
	}
	csr, err := readDER(e.path(p.Sign[i].Request), "CERTIFICATE REQUEST")
	if err != nil {
		return p.wrong(err.Error(), "sign", i, "request")
	}
	if only {
		return ca.CheckRequest(ctx, c, one, csr)
	}
	cert, err := ca.SignRequest(ctx, c, one, csr)
	if err != nil {
		return err
	}
	where := e.Dir
	if p.Root != nil {
		where = filepath.Join(e.path(p.Root.Keys), publishDir)
	}
	if err := os.MkdirAll(where, 0o755); err != nil { //nolint:gosec // certificates are public
		return err
	}
	f := folder{publish: where}
	if err := f.layCertificate(one.Name, cert.Raw); err != nil {
		return err
	}
	return c.Note("certificate of " + one.Name + " laid in " + filepath.Join(where, one.Name+".cer"))
}

func (e *Env) serial(r Revoke) (string, error) {
	if r.Serial != "" {
		return r.Serial, nil
	}
	der, err := readDER(e.path(r.Certificate), "CERTIFICATE")
	if err != nil {
		return "", err
	}
	cert, err := pki.ParseCertificate(der)
	if err != nil {
		return "", fmt.Errorf("%s: %w", r.Certificate, err)
	}
	return cert.SerialHex(), nil
}

// readDER reads one small object, DER or PEM.
func readDER(path, kind string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	const most = 1 << 20
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, err
	}
	if len(data) > most {
		return nil, fmt.Errorf("%s: more than %d bytes", path, most)
	}
	blocks, err := pki.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(blocks) != 1 || blocks[0].Type != "" && !strings.HasSuffix(blocks[0].Type, kind) {
		return nil, fmt.Errorf("%s: one %s is wanted", path, strings.ToLower(kind))
	}
	return blocks[0].DER, nil
}

// Check holds a plan against the folders and tells, line by line, what would be done. It makes and signs
// nothing; the errors are those of [Env.Run] before it begins.
func (e *Env) Check(ctx context.Context, p *Plan, tell func(line string)) (err error) {
	if err := e.apart(p); err != nil {
		return err
	}
	c := ca.Ceremony{By: "check", Now: e.Now}
	var opened []*folder
	defer func() {
		for _, f := range opened {
			err = errors.Join(err, f.close())
			if f.fresh {
				err = errors.Join(err, os.RemoveAll(f.dir))
			}
		}
	}()
	quiet := &Env{Dir: e.Dir, Now: e.Now, RootShares: e.RootShares, Shares: e.Shares}
	if p.Root != nil {
		f, err := quiet.checked(ctx, p.Root.New, e.path(p.Root.Keys), e.path(p.Root.PassphraseFile), rootMarker, p.Root.Token, nil, func() (*folder, error) { return quiet.openRoot(ctx, *p.Root) })
		if f != nil {
			opened = append(opened, f)
		}
		if err != nil {
			return p.wrong(err.Error(), "root", "keys")
		}
		c.Upper = &ca.Place{Store: f.store.CA(), Keys: f.keys}
	}
	if p.Online != nil {
		f, err := quiet.checked(ctx, p.Online.New, e.path(p.Online.Data), e.path(p.Online.PassphraseFile), onlineMarker, p.Online.Token, []string{trustDir, passphrase, keyFile}, func() (*folder, error) { return quiet.openOnline(ctx, *p.Online) })
		if f != nil {
			opened = append(opened, f)
		}
		if err != nil {
			return p.wrong(err.Error(), "online", "data")
		}
		c.Store, c.Keys = f.store.CA(), f.keys
	}
	return p.placed(e.checkActs(ctx, p, c, tell))
}

// checked opens a folder, or an empty one for the time of the check where the plan makes a new one.
func (e *Env) checked(ctx context.Context, fresh bool, dir, words, marker string, t *Token, allowed []string, there func() (*folder, error)) (*folder, error) {
	if !fresh {
		return there()
	}
	if _, err := os.Stat(dir); err == nil {
		if err := empty(dir, marker, allowed...); err != nil {
			return nil, err
		}
	}
	if words != "" {
		if _, _, err := vault.Secret(words, false); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	aside, err := os.MkdirTemp("", "senim-check-*")
	if err != nil {
		return nil, err
	}
	f := &folder{dir: aside, fresh: true}
	files, err := vault.Open(filepath.Join(aside, vaultDir), []byte("nothing is kept here"))
	if err != nil {
		return f, err
	}
	open, err := e.token(t)
	if err != nil {
		return f, err
	}
	f.keys = keyring.New(files, open)
	f.store, err = store.Open(ctx, store.Config{URL: filepath.Join(aside, "check.db"), Now: e.Now, Node: "check"})
	return f, err
}

func (e *Env) checkActs(ctx context.Context, p *Plan, c ca.Ceremony, tell func(string)) error {
	for i, r := range p.Revoke {
		serial, err := e.serial(r)
		if err == nil {
			err = ca.CheckRevocation(ctx, c, r.By, serial, reasons()[r.Reason])
		}
		if err != nil {
			return p.wrong(err.Error(), "revoke", i, "by")
		}
		tell(fmt.Sprintf("%s revokes %s: %s, and publishes a list", r.By, serial, r.Reason))
	}
	all, err := p.authorities()
	if err != nil {
		return err
	}
	c.Authorities = all
	if len(all) > 0 {
		if err := ca.Check(ctx, c); err != nil {
			return err
		}
	}
	for i, a := range all {
		tell(p.words(p.Authorities[i], a))
	}
	for i, s := range p.Sign {
		if err := e.sign(ctx, p, c, i, true); err != nil {
			return err
		}
		tell(fmt.Sprintf("%s certifies %s (%s) from %s", s.Parent, s.Name, s.CommonName, s.Request))
	}
	for i, name := range p.Lists {
		planned := false
		for _, a := range all {
			planned = planned || a.Name == name && !a.Issuing()
		}
		if !planned {
			if err := ca.CheckUpper(ctx, c, name); err != nil {
				return p.wrong(err.Error(), "lists", i)
			}
		}
		tell(name + " publishes a revocation list")
	}
	return nil
}

// words say what an authority will be.
func (p *Plan) words(a Authority, out ca.AuthorityPlan) string {
	keys := "the root's folder"
	if out.Issuing() || p.Root == nil {
		keys = "the online folder"
	}
	if t := p.token(out); t != nil {
		keys = "token " + t.Label
	}
	what := "root"
	switch {
	case out.Issuing():
		what = "issuing authority under " + a.Parent
	case a.Parent != "":
		what = "authority over others under " + a.Parent
	}
	line := fmt.Sprintf("make %s: %s, %s, «%s», key in %s", a.Name, what, a.Algorithm, a.CommonName, keys)
	if out.Issuing() {
		line += ", with OCSP"
		if policy := map[string]string{"GOST512": "1.2.398.3.3.2.6.4", "RSA": "1.2.398.3.3.2.6.2"}[a.Algorithm]; !out.NoTSA {
			line += " and TSA (policy " + policy + ")"
		}
	}
	if a.Follows != "" {
		line += "; it follows " + a.Follows
		if a.Parent == "" {
			line += ", and they certify each other"
		} else {
			line += ", which issues no more"
		}
	}
	return line
}
