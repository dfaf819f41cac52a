package state

import (
	"context"
	"slices"
	"strings"

	"senim/dsig"
	"senim/internal/ident"
	"senim/internal/registry"
)

// Roots of the answers of the register of legal entities: its own, and that of the newer bridge.
const (
	spaceLegal  = "http://gbdulinfobybin_v2.egp.gbdul.tamur.kz"
	spaceBridge = "http://smartbridge.b10.kz"
)

// DefaultStates are the names of an organisation's status; codes are not published, so that they are
// added by configuration.
func DefaultStates() map[string]registry.Status {
	return map[string]registry.Status{"Зарегистрирован": registry.Active, "Перерегистрирован": registry.Active,
		"В процессе ликвидации": registry.Liquidation, "Ликвидирован": registry.Liquidated, "Реорганизован": registry.Reorganised}
}

// Legal asks the register of legal entities (ГБД ЮЛ) by BIN.
func (s *Services) Legal(ctx context.Context, p registry.Purpose, bin ident.BIN) (off registry.Answer[registry.Legal]) {
	if s.gateway == nil || s.gateway.Gateway.Legal == "" {
		return off
	}
	return s.legal.ask(ctx, s.asker, p, string(bin), func(ctx context.Context) (registry.Answer[registry.Legal], error) {
		return s.gateway.legal(ctx, bin, s.c.Rules)
	})
}

func (c *channel) legal(ctx context.Context, bin ident.BIN, rules ident.Rules) (a registry.Answer[registry.Legal], err error) {
	q, err := c.question()
	if err != nil {
		return a, err
	}
	root, at, err := c.ask(ctx, q, c.Gateway.Legal, `<ns:Request xmlns:ns="`+spaceLegal+`"><RequestorBIN>`+escape(c.Requestor)+
		`</RequestorBIN><BIN>`+escape(string(bin))+`</BIN></ns:Request>`)
	if err != nil {
		return a, err
	}
	a.AsOf = at
	if (root.Local != "Response" || root.Space != spaceLegal) && (root.Local != "sendMessageResponse" || root.Space != spaceBridge) {
		return a, fail(Unreadable, "the data are no answer of the register of legal entities")
	}
	organisation, joint := root.Child("Organization"), root.Child("IpsNerezident")
	none := slices.Contains(c.Unknown, textOf(root.At("Status", "Code")))
	if none && len(root.All("Organization"))+len(root.All("IpsNerezident")) == 0 {
		a.Verdict, a.Code = registry.Bad, registry.EntityUnknown
		return a, nil
	}
	r := record{e: organisation, states: c.States, rules: rules, leader: "OrganizationLeader"}
	if organisation == nil {
		r.e, r.leader = joint, "Leader"
	}
	if none || r.e == nil || organisation != nil && joint != nil {
		return a, fail(Unreadable, "the answer neither names one organisation nor says that there is none")
	}
	if a.Value, err = r.read(bin); err != nil {
		return a, err
	}
	if joint != nil {
		a.Value.Entity.Kind = registry.JointIPNR
	}
	a.Verdict = registry.Good
	return a, nil
}

// record reads an organisation of the answer. Founders, beneficiaries and capital are not read.
type record struct {
	e      *dsig.Element
	states map[string]registry.Status
	rules  ident.Rules
	leader string // name of the element
	bad    bool   // a date or a number of it is none
}

func (r *record) text(path ...string) string { return r.in(r.e, path...) }

// in is the text of what stands at most once on each step of a path; what is doubled is not absent but bad.
func (r *record) in(e *dsig.Element, path ...string) string {
	for _, name := range path {
		if e == nil {
			return ""
		}
		r.bad = r.bad || len(e.All(name)) > 1
		e = e.Child(name)
	}
	return textOf(e)
}

// number reads a BIN or IIN that may stand in an answer; empty when absent.
func (r *record) number(s string) string {
	if s == "" {
		return ""
	}
	n, err := r.rules.AdmitIIN(s)
	r.bad = r.bad || err != nil
	return string(n)
}

func (r *record) read(bin ident.BIN) (v registry.Legal, err error) {
	if r.text("BIN") != string(bin) {
		return v, alarm(OtherNumber, "the answer is about another organisation than was asked")
	}
	v.Entity = registry.LegalEntity{BIN: bin, Kind: registry.LE, NameRU: r.text("FullNameRu"), NameKK: r.text("FullNameKz"),
		Registered: r.day(r.text("RegistrationDate")), HeadBIN: ident.BIN(r.number(r.text("HeaderOrganization", "BIN"))),
		Reregistered: r.day(r.text("RegistrationLastDate")), SuccessorBIN: r.successor(),
		AddressRU: r.text("Address"), TaxInactive: r.text("TaxOrgStatus") == "1"}
	v.Entity.Kind = r.kind(bin)
	if v.Entity.Status, v.Entity.Liquidated, err = r.status(); err != nil {
		return v, err
	}
	if l := r.e.Child(r.leader); l != nil {
		v.Leader = registry.Leader{BIN: bin, IIN: ident.IIN(r.number(r.in(l, "IIN"))), Surname: textOf(l.Child("SurName")), Name: textOf(l.Child("Name")),
			Patronymic: textOf(l.Child("MiddleName")), Position: textOf(l.At("Position", "PositionType", "NameRu")),
			AppointedOn: r.day(r.in(l, "Position", "IssueDate")), DismissedOn: r.day(r.in(l, "Position", "LossDate"))}
		r.bad = r.bad || v.Leader.IIN == ""
	} else {
		r.bad = r.bad || len(r.e.All(r.leader)) > 0 // two heads are no head
	}
	if r.bad || v.Entity.NameRU == "" || v.Entity.Registered == "" {
		return v, fail(Unreadable, "the record has no name, or a number or date that is none")
	}
	return v, nil
}

// successor is who came after it: of several, as after a division, none is the one. No gate asks it, so that one that
// is no number is none, and closes nothing.
func (r *record) successor() ident.BIN {
	said := ""
	if e := r.e.At("ReorganizationBins", "BINReorganizationUl"); e != nil && len(r.e.Child("ReorganizationBins").All("BINReorganizationUl")) == 1 {
		said = textOf(e)
	}
	bin, err := r.rules.AdmitBIN(first(textOf(r.e.At("Liquidation", "BinReceiver")), said))
	if err != nil {
		return ""
	}
	return bin
}

// status is what the register says of the organisation's life.
func (r *record) status() (registry.Status, registry.Date, error) {
	ended := r.day(first(r.text("LiquidationDate"), r.text("Liquidation", "LiquidationDate")))
	st, known := r.states[r.text("RegStatus", "Code")]
	if !known {
		st, known = r.states[r.text("RegStatus", "NameRu")]
	}
	switch {
	case ended != "" && st != registry.Reorganised:
		return registry.Liquidated, ended, nil
	case !known:
		return "", "", fail(Unreadable, "a registration status that is not configured")
	}
	return st, ended, nil
}

// kind: what names a head office is a unit, and so is what its number or form calls one.
func (r *record) kind(bin ident.BIN) registry.Kind {
	form := strings.ToLower(r.text("OrgForm", "NameRu"))
	switch {
	case strings.Contains(form, "представительство"), bin[5] == '2':
		return registry.Rep
	case strings.Contains(form, "филиал"), bin[5] == '1', r.e.Child("HeaderOrganization") != nil:
		return registry.Branch
	}
	return registry.LE
}

func first(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}
