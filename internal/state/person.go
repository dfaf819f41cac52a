package state

import (
	"context"
	"slices"
	"strings"

	"senim/internal/ident"
	"senim/internal/ident/e164"
	"senim/internal/registry"
)

// Person asks the register of persons (ГБД ФЛ) by IIN, with the person's consent.
func (s *Services) Person(ctx context.Context, p registry.Purpose, iin ident.IIN) (off registry.Answer[registry.Person]) {
	if s.gateway == nil || s.gateway.Gateway.Person == "" {
		return off
	}
	return s.persons.ask(ctx, s.asker, p, string(iin), func(ctx context.Context) (registry.Answer[registry.Person], error) {
		return s.gateway.person(ctx, p, iin)
	})
}

func (c *channel) person(ctx context.Context, p registry.Purpose, iin ident.IIN) (a registry.Answer[registry.Person], err error) {
	given, err := c.consent(ctx, iin, p.Fresh())
	if err != nil {
		return a, err
	}
	q, err := c.question()
	if err != nil {
		return a, err
	}
	root, at, err := c.ask(ctx, q, c.Gateway.Person, "<Request><messageId>"+q.id+"</messageId><messageDate>"+q.date()+"</messageDate><senderCode>"+
		escape(c.Sender)+"</senderCode><iin>"+escape(string(iin))+"</iin><kdpToken>"+escape(given.token)+"</kdpToken><publicKey>"+escape(given.key)+"</publicKey></Request>")
	if err != nil {
		return a, err
	}
	a.AsOf = at
	if result := codeOf(root.Child("messageResult")); root.Local == "Response" && result != "" && slices.Contains(c.NoConsent, result) {
		if c.Access != "" { // withdrawn, or over
			if err := c.s.c.Consents.DropConsent(ctx, string(iin)); err != nil {
				return a, fail(Failed, "a consent that does not hold could not be forgotten")
			}
		}
		return a, needed()
	}
	if root.Local != "Response" || !slices.Contains(c.OK, codeOf(root.Child("messageResult"))) {
		return a, fail(Unreadable, "the data are no answer of the register of persons")
	}
	found := root.Child("persons")
	if found == nil || len(found.All("person")) == 0 {
		if len(root.All("persons")) > 1 {
			return a, fail(Unreadable, "the answer has two lists of persons")
		}
		a.Verdict, a.Code = registry.Bad, registry.PersonUnknown
		return a, nil
	}
	e := found.Child("person")
	if e == nil || textOf(e.Child("iin")) != string(iin) {
		return a, alarm(OtherNumber, "the answer is about another person than was asked")
	}
	a.Verdict = registry.Good
	r := personRecord{record: record{e: e}, states: c.PersonStates, today: registry.DateOf(c.s.c.Now())}
	a.Value, err = r.read(iin)
	return a, err
}

// Phone asks the mobile citizens base (БМГ) by IIN. None registered is a bad answer, not an unknown one.
func (s *Services) Phone(ctx context.Context, p registry.Purpose, iin ident.IIN) (off registry.Answer[registry.MobileContact]) {
	if s.gateway == nil || s.gateway.Mobile == "" {
		return off
	}
	return s.phones.ask(ctx, s.asker, p, string(iin), func(ctx context.Context) (registry.Answer[registry.MobileContact], error) {
		return s.gateway.phone(ctx, iin)
	})
}

func (c *channel) phone(ctx context.Context, iin ident.IIN) (a registry.Answer[registry.MobileContact], err error) {
	q, err := c.question()
	if err != nil {
		return a, err
	}
	root, at, err := c.ask(ctx, q, c.Mobile, "<Request><uin>"+escape(string(iin))+"</uin><companyBin>"+escape(c.Requestor)+"</companyBin></Request>")
	if err != nil {
		return a, err
	}
	a.AsOf = at
	if root.Local != "Response" || len(root.All("phone")) > 1 {
		return a, fail(Unreadable, "the data are no answer of the mobile citizens base")
	}
	if textOf(root.Child("uin")) != string(iin) {
		return a, alarm(OtherNumber, "the answer is about another person than was asked")
	}
	said := textOf(root.Child("phone"))
	if said == "" {
		a.Verdict, a.Code = registry.Bad, registry.NoPhone
		return a, nil
	}
	phone, err := e164.Parse(said)
	if err != nil || !strings.HasPrefix(string(phone), "+7") {
		return a, fail(Unreadable, "the phone is none")
	}
	a.Verdict, a.Value = registry.Good, registry.MobileContact{IIN: iin, Phone: phone}
	return a, nil
}
