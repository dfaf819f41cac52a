//go:build !race

package cabinet

import (
	"strings"
	"testing"
	"time"

	"senim/internal/agent"
	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/internal/robot"
	"senim/internal/token"
	"senim/pki"
)

const tokenPIN = "2468-user"

// cardHolder is a person whose key is on a SoftHSM2 token and ends in some days.
type cardHolder struct {
	s       *site
	at      *agent.Agent
	robot   *robot.Agent
	config  token.Config
	windows chan string
}

func (s *site) cardHolder(program string) *cardHolder {
	s.t.Helper()
	dir := s.t.TempDir()
	h := pkitest.NewSoftHSM(s.t, dir, "KAZTOKEN 1")
	c := &cardHolder{s: s, config: token.Config{Program: program, Module: h.Module, Label: h.Label, PIN: []byte(tokenPIN)}, windows: make(chan string, 4)}
	driver := keystore.TokenDriver{Storage: "AKKaztokenStore", Program: c.config.Program, Module: h.Module}
	var err error
	c.at, err = agent.New(agent.Config{Listen: "127.0.0.1:0", Data: s.t.TempDir(), Folders: []string{s.t.TempDir()}, Pool: s.ca.Pool(), Now: func() time.Time { return s.now },
		Cabinet: origin, CabinetTransport: s.way(), Tokens: []keystore.TokenDriver{driver}, Browser: func(url string) (func(), error) { c.windows <- url; return nil, nil }})
	must(s.t, err)
	c.robot = robot.NewAgent("", c.windows)
	return c
}

// key makes a key on the token, and its certificate, which ends in so many days.
func (c *cardHolder) key(h pki.Holder, days int) *pki.Certificate {
	c.s.t.Helper()
	tok, err := token.Open(c.config)
	must(c.s.t, err)
	name := token.NameOf([]byte("old key"))
	key, err := tok.Generate(c.s.t.Context(), name, 2048)
	must(c.s.t, err)
	end := c.s.now.AddDate(0, 0, days)
	leaf := c.s.ca.add(c.s.ca.Authority.Issue(pkitest.Spec{Key: key, Holder: h, NotBefore: end.AddDate(-3, 0, 0), NotAfter: end,
		Change: func(t *pki.Template) {
			t.Storage, t.ExtKeyUsage = pki.StorageKaztoken, append(t.ExtKeyUsage, pki.ClientAuth)
		}}))
	_, err = tok.Certify(c.s.t.Context(), name, leaf.Certificate.Raw)
	must(c.s.t, err)
	must(c.s.t, tok.Close())
	return leaf.Certificate
}

// certificates are those on the token.
func (c *cardHolder) certificates() []*pki.Certificate {
	c.s.t.Helper()
	seen, err := token.Look(c.config)
	must(c.s.t, err)
	var list []*pki.Certificate
	for _, k := range seen[0].Certificates {
		cert, err := pki.ParseCertificate(k.DER)
		must(c.s.t, err)
		list = append(list, cert)
	}
	return list
}

// renew opens the window of renewal and does what a person does; the window's last words come beside.
func (c *cardHolder) renew() (agent.Renewed, string) {
	c.s.t.Helper()
	acted := make(chan error, 1)
	said := ""
	go func() {
		acted <- c.robot.Window(c.s.t.Context(), robot.Choice{Passwords: map[string]string{"KAZTOKEN 1": tokenPIN}, Said: &said}, nil)
	}()
	r, ok, err := c.at.Renew(c.s.t.Context(), lang.RU)
	must(c.s.t, <-acted)
	if err != nil || !ok {
		c.s.t.Fatalf("%+v %v %v", r, ok, err)
	}
	return r, said
}

// TestPain08Pain14TokenIsRenewed: the pairs are made on the token of the old key, the requests and the application
// signed there, the certificates put beside; the old key stays. No new password is asked for, and no file is made.
func TestPain08Pain14TokenIsRenewed(t *testing.T) {
	s := newSiteOf(t, 0, func(c *ra.Config) { c.Classic, c.CarriersOnline = true, true })
	s.reach(accountantIIN, "", "a@example.kz")
	c := s.cardHolder(pkitest.TokenProgram(t, t.TempDir()))
	old := c.key(person("ТЕСТОВ ТЕСТ", "ТЕСТОВ", "ТЕСТОВИЧ", accountantIIN), 20)
	if r, said := c.renew(); r != (agent.Renewed{Done: 1}) {
		t.Fatalf("%+v %s", r, said)
	}
	now := c.certificates()
	if len(now) != 3 || string(now[0].Raw) != string(old.Raw) && string(now[1].Raw) != string(old.Raw) && string(now[2].Raw) != string(old.Raw) {
		t.Fatalf("%d certificates on the token, the old one among them?", len(now))
	}
	k, err := s.ca.Key(t.Context(), old.SerialHex())
	must(t, err)
	if k.ReplacedBy == "" || !k.RevokedAt.IsZero() {
		t.Errorf("%+v", k)
	}
	list, err := s.office.Batches(t.Context(), accountantIIN)
	must(t, err)
	_, lines, err := s.office.Batch(t.Context(), accountantIIN, list[0].ID)
	must(t, err)
	if a := lines[0].Application; a.Storage != ra.Kaztoken || a.State != ra.Installed {
		t.Errorf("%+v", a)
	}
	for _, r := range lines[0].Application.Requests {
		if req, err := pki.ParseRequest(r.CSR); err != nil || !req.Storage.Equal(pki.StorageKaztoken) {
			t.Errorf("request: %v %v", req, err)
		}
	}
}

// TestTokenIsNotRenewed: what a token cannot make, and what the cabinet does at a desk only, is said in words; nothing
// is left on the token, and nothing goes into a file instead.
func TestTokenIsNotRenewed(t *testing.T) {
	mine := person("ТЕСТОВ ТЕСТ", "ТЕСТОВ", "ТЕСТОВИЧ", accountantIIN)
	pkitest.NewSoftHSM(t, t.TempDir(), "probe") // or skip
	program := pkitest.TokenProgram(t, t.TempDir())
	for _, c := range []struct {
		name   string
		change func(*ra.Config)
		want   agent.Renewed
		says   string
	}{
		{"no GOST on it", func(c *ra.Config) { c.CarriersOnline = true }, agent.Renewed{Waiting: 1}, lang.RU.Text("agent.problem.token_cannot")},
		{"at a desk", func(c *ra.Config) { c.Classic = true }, agent.Renewed{Failed: 1}, lang.RU.Text("cabinet.code.CARRIER_DESK_ONLY")},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSiteOf(t, 0, c.change)
			s.reach(accountantIIN, "", "a@example.kz")
			h := s.cardHolder(program)
			h.key(mine, 20)
			if r, said := h.renew(); r != c.want || !strings.Contains(said, c.says) {
				t.Errorf("%+v %q", r, said)
			}
			if n := len(h.certificates()); n != 1 {
				t.Errorf("%d certificates on the token", n)
			}
		})
	}
}
