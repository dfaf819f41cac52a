package state

import (
	"context"
	"slices"
	"strings"

	"senim/dsig"
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
		return s.gateway.person(ctx, iin)
	})
}

func (c *channel) person(ctx context.Context, iin ident.IIN) (a registry.Answer[registry.Person], err error) {
	token, ok := "", false
	if c.Consent != nil {
		token, ok = c.Consent(ctx, string(iin))
	}
	if !ok {
		return a, &trouble{code: registry.ConsentNeeded, why: "the register of persons wants the person's consent", calm: true}
	}
	q, err := c.question()
	if err != nil {
		return a, err
	}
	root, at, err := c.ask(ctx, q, c.Gateway.Person, "<Request><messageId>"+q.id+"</messageId><messageDate>"+q.date()+"</messageDate><senderCode>"+
		escape(c.Sender)+"</senderCode><iin>"+escape(string(iin))+"</iin><kdpToken>"+escape(token)+"</kdpToken><publicKey></publicKey></Request>")
	if err != nil {
		return a, err
	}
	a.AsOf = at
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
	a.Value, err = readPerson(e, iin)
	return a, err
}

// readPerson reads what is kept of a person. How the flags are written is not published: absent, 0 and
// false are no, whatever else is yes, so that a doubt closes the gate.
func readPerson(e *dsig.Element, iin ident.IIN) (registry.Person, error) {
	r := record{e: e}
	p := registry.Person{IIN: iin, Surname: r.text("surname"), Name: r.text("name"), Patronymic: r.text("patronymic"), Born: r.day(r.text("birthDate")),
		Dead:     r.day(r.text("deathDate")) != "" || flag(e, "lifeStatus"),
		Excluded: flag(e, "excludeStatus"), Incapable: flag(e, "personCapableStatus"), Citizenship: codeOf(e.Child("citizenship")), Nonresident: !kazakh(codeOf(e.Child("citizenship")))}
	if r.bad || p.Surname == "" && p.Name == "" {
		return p, fail(Unreadable, "the person has no name, or a date that is none")
	}
	return p, nil
}

// codeOf is the code of a directory value, or a text that stands alone.
func codeOf(e *dsig.Element) string {
	if e == nil {
		return ""
	}
	return first(textOf(e.Child("code")), textOf(e.Child("Code")), textOf(e))
}

func flag(e *dsig.Element, name string) bool {
	switch codeOf(e.Child(name)) {
	case "", "0", "false":
		return len(e.All(name)) > 1
	}
	return true
}

// kazakh: a citizen; without a word about it, one too, as the register is the national one.
func kazakh(code string) bool {
	return slices.Contains([]string{"", "398", "KZ", "KAZ"}, strings.ToUpper(code))
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
