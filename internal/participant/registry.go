package participant

import (
	"context"
	"maps"
	"time"

	"senim/internal/ident"
	"senim/internal/registry"
	"senim/internal/trust"
	"senim/pki"
)

// Registry answers who is who, in three values; [registry.Book] is the real one.
type Registry interface {
	Entity(ctx context.Context, bin ident.BIN) registry.Answer[registry.LegalEntity]
	// Organisation is an organisation and its head on a day, asked once.
	Organisation(ctx context.Context, bin ident.BIN, on time.Time) (registry.Answer[registry.LegalEntity], registry.Answer[registry.Head])
	Person(ctx context.Context, iin ident.IIN) registry.Answer[registry.Person]
	Taxpayer(ctx context.Context, tin string) registry.Answer[registry.Taxpayer]
	// Standing and PersonStanding are what the records say, as a text that is another once that changes.
	Standing(ctx context.Context, tx registry.Tx, bin ident.BIN) (string, error)
	PersonStanding(ctx context.Context, tx registry.Tx, iin ident.IIN) (string, error)
}

// askRegistry is G6 to G8: the organisation is active, its head on this day is the certificate's
// person, and the answers could be used. A person's own registration asks for the person. again: the enterprise has a
// head here already.
func (o *Office) askRegistry(ctx context.Context, q question, again bool) ([]Check, Subject) {
	h := q.cert.Holder()
	if !q.reg.Category.Enterprise() {
		return o.askPerson(ctx, q.reg.Category, h.IIN)
	}
	bin := ident.BIN(h.BIN)
	ask := o.c.Registry
	if again {
		ask = o.c.Again
	}
	ask = o.c.By(ask, ident.IIN(h.IIN))
	entity, head := ask.Organisation(ctx, bin, o.now())
	e := entityCheck(entity, q.reg.Category)
	k := headCheck(head, ident.IIN(h.IIN), q.cert)
	if k.Code != "" && k.Code == entity.Code || k.Code == trust.CodeUnavailable && e.Code == k.Code {
		k.Verdict, k.Code = trust.Unknown, "" // the organisation itself is the matter; said once
	}
	v := entity.Value
	s := Subject{
		Name: v.NameRU, NameKK: v.NameKK, Address: v.AddressRU, AddressKK: v.AddressKK, HeadOffice: string(v.HeadBIN),
		Source: entity.Source, LoadID: entity.LoadID, RecordID: entity.RecordID, AsOf: entity.AsOf,
	}
	s.VAT = o.vat(ask.Taxpayer(ctx, h.BIN)) // shown only: nothing is decided by it
	return usable(e, k), s
}

// askPerson is G6 and G8 for who registers in his own name: he is in the database of persons, not
// excluded or dead; who trades or practises is in the register of taxpayers as such.
func (o *Office) askPerson(ctx context.Context, c Category, iin string) ([]Check, Subject) {
	ask := o.c.By(o.c.Registry, ident.IIN(iin))
	person := answered("G6", "person", ask.Person(ctx, ident.IIN(iin)))
	if c == Individual {
		return usable(person), Subject{}
	}
	a := ask.Taxpayer(ctx, iin)
	v := a.Value
	return usable(person, taxpayerCheck(a, c, registry.DateOf(o.now()))), Subject{
		Name: v.NameRU, NameKK: v.NameKK, Address: v.AddressRU, AddressKK: v.AddressKK, Practice: v.Practice, VAT: o.vat(a),
		Source: a.Source, LoadID: a.LoadID, RecordID: a.RecordID, AsOf: a.AsOf,
	}
}

// taxpayerCheck is G6 for a sole proprietor and a private practitioner.
func taxpayerCheck(a registry.Answer[registry.Taxpayer], c Category, today registry.Date) Check {
	k := answered("G6", "taxpayer", a)
	if a.Verdict != registry.Good {
		return k
	}
	switch {
	case c == SoleProprietor && !a.Value.SoleProprietor(today):
		k.Verdict, k.Code = trust.Bad, "NOT_ENTREPRENEUR"
	case c == PrivatePractice && !a.Value.Partial && c.ProfileType(a.Value.Practice) == "":
		k.Verdict, k.Code = trust.Bad, "NOT_PRACTITIONER"
	case a.Value.Partial: // nobody told whether it is blocked
		k.Verdict, k.Code, k.Evidence["cause"] = trust.Unknown, trust.CodeUnavailable, registry.NeverLoaded
	case a.Value.Blocked:
		k.Verdict, k.Code, k.Evidence["reason"] = trust.Bad, "ENTERPRISE_BLOCKED", a.Value.BlockReason
	}
	return k
}

// vat says whether the taxpayer pays value-added tax: "yes", "no", or "" when nobody can tell.
func (o *Office) vat(a registry.Answer[registry.Taxpayer]) string {
	switch {
	case a.Verdict != registry.Good:
		return ""
	case a.Value.VATPayer(registry.DateOf(o.now())):
		return "yes"
	}
	return "no"
}

// answered turns an answer's own verdict into a check, with the provenance as its evidence.
func answered[T any](rule, name string, a registry.Answer[T]) Check {
	k := Check{Rule: rule, Name: name, Evidence: map[string]string{}}
	maps.Copy(k.Evidence, a.Detail)
	for key, v := range map[string]string{"source": a.Source, "load": a.LoadID, "record": a.RecordID} {
		if v != "" {
			k.Evidence[key] = v
		}
	}
	for key, t := range map[string]time.Time{"asOf": a.AsOf, "lastLoad": a.LoadedAt, "nextLoad": a.NextLoad} {
		if !t.IsZero() {
			k.Evidence[key] = stamp(t)
		}
	}
	if a.Err != nil {
		k.Evidence["error"] = a.Err.Error()
	}
	switch a.Verdict {
	case registry.Good:
		k.Verdict = trust.Good
	case registry.Bad:
		k.Verdict, k.Code = trust.Bad, a.Code
	default:
		k.Verdict, k.Code = trust.Unknown, trust.CodeUnavailable
		if a.Code == registry.SourcesDisagree {
			k.Code = a.Code
		}
		k.Evidence["cause"] = a.Code
	}
	return k
}

// entityCheck is G6: in the registry, active, and of the kind the category is for.
func entityCheck(a registry.Answer[registry.LegalEntity], c Category) Check {
	k := answered("G6", "enterprise", a)
	if a.Code == registry.EntityLiquidated && a.Value.Liquidated != "" {
		k.Evidence["ended"] = stamp(a.Value.Liquidated.Time())
	}
	known := a.Verdict == registry.Good || a.Code == registry.NoHeadOffice
	switch {
	case !known:
	case c == LegalEntity && a.Value.Unit():
		k.Verdict, k.Code = trust.Bad, "ENTERPRISE_IS_UNIT"
	case c == StructuralUnit && !a.Value.Unit():
		k.Verdict, k.Code = trust.Bad, "ENTERPRISE_NOT_UNIT"
	case a.Code == registry.NoHeadOffice:
		k.Verdict, k.Code = trust.Bad, "ENTERPRISE_UNKNOWN"
		k.Evidence["missing"] = "head-office"
		if a.Value.HeadBIN != "" {
			k.Evidence["headOffice"] = string(a.Value.HeadBIN)
		}
	}
	return k
}

// headCheck is G7: the certificate's person heads the organisation today. Of the registry's heads
// only this person's own days are written down, never another's name or number.
func headCheck(a registry.Answer[registry.Head], iin ident.IIN, cert *pki.Certificate) Check {
	k := answered("G7", "head", a)
	refuse := func(code string, day registry.Date) Check {
		k.Verdict, k.Code = trust.Bad, code
		if day != "" {
			k.Evidence["date"] = stamp(day.Time())
		}
		return k
	}
	if a.Verdict == registry.Unknown || a.Verdict == "" {
		return k
	}
	lead, next := a.Value.Leader, a.Value.Next
	switch {
	case a.Verdict == registry.Bad && a.Code != registry.NoHead && a.Code != registry.HeadFuture:
		return k
	case a.Verdict == registry.Good && lead.IIN == iin:
	case next.IIN == iin:
		return refuse("REGISTRY_HEAD_FUTURE", next.AppointedOn)
	case a.Verdict == registry.Good:
		return refuse("REGISTRY_OTHER_HEAD", "")
	case lead.IIN == iin && lead.DismissedOn != "":
		return refuse("REGISTRY_HEAD_DISMISSED", lead.DismissedOn)
	default:
		return refuse("REGISTRY_NO_HEAD", "")
	}
	appointed := lead.AppointedOn.Time()
	if appointed.IsZero() && a.Detail["warning"] == registry.NoAppointmentDate {
		return k // gate.allow_no_appointment_date is on, and the evidence says so
	}
	if appointed.IsZero() {
		k.Verdict, k.Code, k.Evidence["cause"] = trust.Unknown, trust.CodeUnavailable, "no-appointment-date"
		return k
	}
	k.Evidence["appointed"] = stamp(appointed)
	if cert.NotBefore.Before(appointed) {
		k.Evidence["warning"] = "issued-before-appointment"
	}
	return k
}

// usable adds G8: every answer of the registry could be used. When one could not, the check it
// belongs to carries the code already.
func usable(checks ...Check) []Check {
	g8 := Check{Rule: "G8", Name: "registry", Verdict: trust.Good, Evidence: map[string]string{}}
	for _, c := range checks {
		if c.Verdict != trust.Good && c.Verdict != trust.Bad {
			g8.Verdict = trust.Unknown
		}
		for _, key := range []string{"asOf", "lastLoad", "nextLoad", "load", "source"} {
			if v := c.Evidence[key]; v != "" {
				g8.Evidence[key] = v
			}
		}
	}
	return append(checks, g8)
}
