package ceremony

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"senim/algid"
	"senim/internal/ca"
	"senim/internal/trust"
	"senim/pki"
)

// maxPlan bounds a plan's file, in bytes; maxItems what it lists.
const (
	maxPlan  = 64 << 10
	maxItems = 20
)

// Plan is a ceremony as it was written down and reviewed.
type Plan struct {
	// Version is 1.
	Version int    `yaml:"version,omitempty"`
	Title   string `yaml:"title,omitempty"`
	// Participants are the roles of those who take part, two at least where a root of its own acts, as "key-custodian-1": never
	// names of people.
	Participants []string `yaml:"participants,omitempty"`
	// Root is the folder of the authorities that certify authorities, on a medium of its own. Absent
	// means that they are kept with the issuing ones.
	Root *Root `yaml:"root,omitempty"`
	// Online is the installation where issuing authorities work. Absent at an offline root.
	Online *Online `yaml:"online,omitempty"`
	// Authorities are made, each after its parent.
	Authorities []Authority `yaml:"authorities,omitempty"`
	// Sign certifies authorities whose keys are elsewhere.
	Sign []Sign `yaml:"sign,omitempty"`
	// Revoke ends authorities.
	Revoke []Revoke `yaml:"revoke,omitempty"`
	// Lists names authorities of which new revocation lists are made.
	Lists []string `yaml:"lists,omitempty"`

	text   []byte
	digest [32]byte
	tree   *yaml.Node
}

// Root is where upper authorities are kept.
type Root struct {
	Keys           string `yaml:"keys,omitempty"`            // folder
	New            bool   `yaml:"new,omitempty"`             // it is made, and must be empty; else it must be a root's
	PassphraseFile string `yaml:"passphrase-file,omitempty"` // of its own; made at random when it is not there and New
	Token          *Token `yaml:"token,omitempty"`
}

// Token is a PKCS #11 token. New RSA authorities of the place that names one have their keys made there,
// with those of their services.
type Token struct {
	Module  string `yaml:"module,omitempty"` // the driver
	Label   string `yaml:"label,omitempty"`
	PINFile string `yaml:"pin-file,omitempty"`
	Program string `yaml:"program,omitempty"` // senim-token; by default the one beside this program
}

// Online is an installation of senimd.
type Online struct {
	Data           string `yaml:"data,omitempty"` // folder
	DB             string `yaml:"db,omitempty"`   // as senimd -db
	New            bool   `yaml:"new,omitempty"`
	PassphraseFile string `yaml:"passphrase-file,omitempty"`
	KeyFile        string `yaml:"key-file,omitempty"`
	Trust          string `yaml:"trust,omitempty"` // folder; by default trust in Data
	Token          *Token `yaml:"token,omitempty"`
}

// Authority is one authority to make.
type Authority struct {
	Name         string   `yaml:"name,omitempty"`
	Parent       string   `yaml:"parent,omitempty"`
	Algorithm    string   `yaml:"algorithm,omitempty"` // GOST512 or RSA
	Bits         int      `yaml:"bits,omitempty"`
	CommonName   string   `yaml:"common-name,omitempty"`
	Organization string   `yaml:"organization,omitempty"`
	Address      string   `yaml:"address,omitempty"`
	Policy       string   `yaml:"policy,omitempty"`
	CPS          string   `yaml:"cps,omitempty"`
	Years        *int     `yaml:"years,omitempty"`
	PathLength   *int     `yaml:"path-length,omitempty"`
	Follows      string   `yaml:"follows,omitempty"`
	Services     []string `yaml:"services,omitempty"` // ocsp and tsa; absent means both
}

// Sign is one request to sign.
type Sign struct {
	Request   string `yaml:"request,omitempty"` // file, PKCS #10
	Authority `yaml:",inline"`
}

// Revoke is one authority to end.
type Revoke struct {
	By          string `yaml:"by,omitempty"`          // who signed it
	Serial      string `yaml:"serial,omitempty"`      // 40 hex digits, or
	Certificate string `yaml:"certificate,omitempty"` // its file
	Reason      string `yaml:"reason,omitempty"`
}

// Parse reads a plan. Fields it does not know, anchors, a second document and whatever follows are
// refused; errors say the line.
func Parse(data []byte) (*Plan, error) {
	p, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	return p, nil
}

func parse(data []byte) (*Plan, error) {
	if len(data) > maxPlan {
		return nil, fmt.Errorf("more than %d bytes", maxPlan)
	}
	p := &Plan{text: data, digest: sha256.Sum256(data), tree: &yaml.Node{}}
	if err := yaml.Unmarshal(data, p.tree); err != nil {
		return nil, plainYAML(err)
	}
	if err := simple(p.tree, 0); err != nil {
		return nil, err
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(p); err != nil {
		return nil, plainYAML(err)
	}
	if err := d.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the plan")
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return p, nil
}

// plainYAML leaves out the parser's name.
func plainYAML(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("it is empty")
	}
	return errors.New(strings.TrimPrefix(strings.ReplaceAll(err.Error(), "unmarshal errors:\n  ", ""), "yaml: "))
}

// simple refuses anchors and aliases, which make a small file large, and tags.
func simple(n *yaml.Node, depth int) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 || depth > 8 {
		return fmt.Errorf("line %d: anchors, aliases, tags and depth are not for plans", n.Line)
	}
	for _, c := range n.Content {
		if err := simple(c, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// Digest is the SHA-256 of the plan's file in hex.
func (p *Plan) Digest() string { return hex.EncodeToString(p.digest[:]) }

// wrong is an error at a place in the plan: keys and numbers of list items.
func (p *Plan) wrong(why string, path ...any) error {
	name, line := "", 0
	n := p.tree
	if n != nil && n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
		n, line = n.Content[0], 1
	}
	for _, step := range path {
		var next *yaml.Node
		switch step := step.(type) {
		case int:
			name += fmt.Sprintf("[%d]", step)
			if n != nil && n.Kind == yaml.SequenceNode && step < len(n.Content) {
				next = n.Content[step]
			}
		case string:
			name = strings.TrimPrefix(name+"."+step, ".")
			for i := 0; n != nil && n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == step {
					next = n.Content[i+1]
					line = n.Content[i].Line
				}
			}
		}
		if n = next; n != nil && n.Line > line {
			line = n.Line
		}
	}
	return fmt.Errorf("line %d: %s: %s", line, name, why)
}

var roles = regexp.MustCompile(`^[a-z][a-z0-9-]{1,39}$`)

// check looks at what can be seen in the plan alone.
func (p *Plan) check() error {
	switch {
	case p.Version != 1:
		return p.wrong("1 is wanted", "version")
	case strings.TrimSpace(p.Title) == "" || len(p.Title) > 200 || strings.ContainsAny(p.Title, "\r\n"):
		return p.wrong("a title in one line is wanted", "title")
	case len(p.Participants) < 1 || p.Root != nil && len(p.Participants) < 2 || len(p.Participants) > maxItems:
		return p.wrong("roles are wanted, two at least where a root of its own acts", "participants")
	case p.Root == nil && p.Online == nil:
		return p.wrong("root or online is wanted: where are the keys?", "root")
	case p.Root != nil && p.Root.Keys == "":
		return p.wrong("a folder is wanted", "root", "keys")
	case p.Root != nil && p.Root.PassphraseFile == "":
		return p.wrong("a root has a passphrase of its own", "root", "passphrase-file")
	case p.Online != nil && p.Online.Data == "":
		return p.wrong("a folder is wanted", "online", "data")
	case p.Root != nil && !p.Root.Token.complete():
		return p.wrong("module, label and pin-file are wanted", "root", "token")
	case p.Online != nil && !p.Online.Token.complete():
		return p.wrong("module, label and pin-file are wanted", "online", "token")
	case len(p.Authorities)+len(p.Sign)+len(p.Revoke)+len(p.Lists) == 0:
		return p.wrong("nothing is planned", "authorities")
	case len(p.Authorities)+len(p.Sign)+len(p.Revoke)+len(p.Lists) > maxItems:
		return p.wrong(fmt.Sprintf("more than %d acts", maxItems), "authorities")
	}
	seen := map[string]bool{}
	for i, r := range p.Participants {
		if !roles.MatchString(r) || seen[r] {
			return p.wrong("roles in small letters, digits and hyphens, each once: no names of people", "participants", i)
		}
		seen[r] = true
	}
	return p.checkActs()
}

func (p *Plan) checkActs() error {
	for i := range p.Authorities {
		if _, err := p.authority(p.Authorities[i], "authorities", i); err != nil {
			return err
		}
	}
	for i, s := range p.Sign {
		if s.Request == "" {
			return p.wrong("a file is wanted", "sign", i, "request")
		}
		if s.Follows != "" || s.Services != nil {
			return p.wrong("this is decided where the authority works", "sign", i, "services")
		}
		if _, err := p.authority(s.Authority, "sign", i); err != nil {
			return err
		}
	}
	for i, r := range p.Revoke {
		if _, ok := reasons()[r.Reason]; !ok {
			return p.wrong("keyCompromise, cACompromise, affiliationChanged, superseded or cessationOfOperation is wanted", "revoke", i, "reason")
		}
		if (r.Serial == "") == (r.Certificate == "") {
			return p.wrong("serial or certificate is wanted, one of them", "revoke", i, "serial")
		}
		if r.Serial != "" && (len(r.Serial) != 40 || strings.Trim(r.Serial, "0123456789abcdef") != "") {
			return p.wrong("40 small hex digits are wanted", "revoke", i, "serial")
		}
		if r.By == "" {
			return p.wrong("the name of the authority that signed it is wanted", "revoke", i, "by")
		}
	}
	for i, l := range p.Lists {
		if l == "" {
			return p.wrong("a name is wanted", "lists", i)
		}
	}
	return nil
}

// reasons are those for which an authority may be revoked, by name.
func reasons() map[string]ca.Reason {
	all := map[string]ca.Reason{}
	for _, r := range []ca.Reason{ca.KeyCompromise, pki.CACompromise, ca.AffiliationChanged, ca.Superseded, ca.CessationOfOperation} {
		all[trust.ReasonName(int(r))] = r
	}
	return all
}

func (t *Token) complete() bool {
	return t == nil || t.Module != "" && t.Label != "" && t.PINFile != ""
}

// token is where the keys of a planned authority are made; nil is in a sealed file.
func (p *Plan) token(a ca.AuthorityPlan) *Token {
	switch {
	case a.Algorithm != algid.RSA:
		return nil
	case p.Root != nil && !a.Issuing():
		return p.Root.Token
	case p.Online != nil:
		return p.Online.Token
	}
	return nil
}

// authority is one of the plan as package ca takes it.
func (p *Plan) authority(a Authority, path ...any) (ca.AuthorityPlan, error) {
	out := ca.AuthorityPlan{Name: a.Name, Parent: a.Parent, Bits: a.Bits, CommonName: a.CommonName, Organization: a.Organization, Address: a.Address,
		Policy: a.Policy, CPS: a.CPS, Follows: a.Follows}
	at := func(field string) []any { return append(path[:len(path):len(path)], field) }
	switch a.Algorithm {
	case "GOST512":
		out.Algorithm = algid.GOST512
	case "RSA":
		out.Algorithm = algid.RSA
	default:
		return out, p.wrong("GOST512 or RSA is wanted", at("algorithm")...)
	}
	if a.Years != nil {
		if out.Years = *a.Years; out.Years < 1 {
			return out, p.wrong("1 to 40 are wanted", at("years")...)
		}
	}
	if a.Parent == "" {
		out.PathLength = ca.Unlimited
	}
	if a.PathLength != nil {
		if out.PathLength = *a.PathLength; out.PathLength < 0 {
			return out, p.wrong("0 to 5 are wanted", at("path-length")...)
		}
	}
	if a.Services != nil {
		ocsp := false
		out.NoTSA = true
		for _, s := range a.Services {
			switch s {
			case "ocsp":
				ocsp = true
			case "tsa":
				out.NoTSA = false
			default:
				return out, p.wrong(fmt.Sprintf("%q: ocsp and tsa are known", s), at("services")...)
			}
		}
		if !ocsp || !out.Issuing() {
			return out, p.wrong("an issuing authority has ocsp, others have no services", at("services")...)
		}
	}
	return out, nil
}

// placed gives an error about a planned authority its line.
func (p *Plan) placed(err error) error {
	e, ok := errors.AsType[*ca.PlanError](err)
	if !ok {
		return err
	}
	field := e.Field
	if field == "tsa" {
		field = "services"
	}
	for i, a := range p.Authorities {
		if a.Name == e.Authority {
			return &placed{p.wrong(e.Why, "authorities", i, field), e}
		}
	}
	for i, s := range p.Sign {
		if s.Name == e.Authority {
			return &placed{p.wrong(e.Why, "sign", i, field), e}
		}
	}
	return err
}

// placed is a PlanError that says its line.
type placed struct {
	error
	cause error
}

func (p *placed) Unwrap() error { return p.cause }
