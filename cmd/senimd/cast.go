package main

import (
	"time"

	"senim/internal/ca"
	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/registry"
)

// Organisations of the demo. The numbers of X and Y and of the three people of the first stories are the
// vendors' public test numbers; all others pass the check digit and belong to nobody (month 99).
const (
	binX     = "123456789021"
	binY     = "123456789025"
	binClerk = "009940000006"
	binZ     = "009940000016"
	binW     = "009940000026"
	orgX     = "АО «ТЕСТ»"
	orgY     = "ТОО «ДОСТЫК»"
	orgZ     = "ТОО «АЛМА»"
	orgW     = "ТОО «САПАР»"
	orgClerk = "УПРАВЛЕНИЕ ЮСТИЦИИ (ТЕСТ)"

	keyPassword    = "Qwerty12"
	portalPassword = "calm-morning-tea"
)

// member is one person of the demo: who he is, and what he has on the first day.
type member struct {
	who, surname, name, patronymic, iin string
	// phone is his number in the mobile citizens base; empty for none.
	phone ident.Phone
	// keys are made at the first start.
	keys []seedKey
	// cabinet: he has an account there with a confirmed address. lang and city are of that account, as he
	// reads letters: in Russian, in Astana when they are empty.
	cabinet bool
	lang    lang.Tag
	city    string
	// portal are the categories and numbers he is registered with as a participant.
	portal []participant.SeededProfile
}

// seedKey is a key file somebody has on the first day.
type seedKey struct {
	profile  string
	bin, org string
	// file is the folder of the key file inside the person's folder.
	folder string
	// from and to bound the certificate, from the first start: days.
	from, to int
	// revoked: it is revoked at once, as compromised.
	revoked bool
}

func (m member) commonName() string { return m.surname + " " + m.name }
func (m member) fullName() string   { return m.surname + " " + m.name + " " + m.patronymic }
func (m member) email() string      { return m.who + "@example.kz" }

// cast is everybody who plays in the stories, and a few who are refused.
func cast() []member {
	year := func(profile, bin, org, folder string) seedKey {
		return seedKey{profile: profile, bin: bin, org: org, folder: folder, from: -30, to: 335}
	}
	return []member{
		{who: "old-head", surname: "ТЕСТТОВ", name: "ТЕСТТ", patronymic: "ТЕСТТОВИЧ", iin: "123456789012", phone: "+77010000012", cabinet: true,
			keys: []seedKey{year("individual", "", "", "personal"), year("head", binX, orgX, "company-X"), year("head", binY, orgY, "company-Y")},
			portal: []participant.SeededProfile{
				{Category: participant.LegalEntity, TIN: binX, Name: orgX}, {Category: participant.LegalEntity, TIN: binY, Name: orgY}}},
		{who: "new-head", surname: "ТЕСТОВ", name: "ТЕСТ", patronymic: "ТЕСТОВИЧ", iin: "123456789011", phone: "+77010000011", cabinet: true,
			keys: []seedKey{year("individual", "", "", "personal")}},
		{who: "person", surname: "СЕРИКОВА", name: "АЙГУЛЬ", patronymic: "БОЛАТОВНА", iin: "123456789013", phone: "+77010000013", cabinet: true,
			keys: []seedKey{{profile: "individual", folder: "personal", from: -345, to: 20}}},
		{who: "accountant", surname: "АХМЕТОВА", name: "ДИНАРА", patronymic: "СЕРИКОВНА", iin: "009900000910", cabinet: true,
			keys: []seedKey{year("employee", binX, orgX, "company-X"),
				{profile: "individual", folder: "expired-last-year", from: -400, to: -35},
				{profile: "individual", folder: "valid-from-next-week", from: 7, to: 372},
				{profile: "individual", folder: "revoked", from: -60, to: 305, revoked: true}}},
		{who: "deputy", surname: "БЕКОВА", name: "ЖАННА", patronymic: "МАРАТОВНА", iin: "009900001016", phone: "+77010001016", cabinet: true, lang: lang.KK,
			keys: []seedKey{year("individual", "", "", "personal"), {profile: "sign-right", bin: binX, org: orgX, folder: "company-X", from: -200, to: 165}}},
		{who: "leaver", surname: "ОМАРОВ", name: "ТИМУР", patronymic: "АСАНОВИЧ", iin: "009900001026", phone: "+77010001026", cabinet: true,
			keys: []seedKey{{profile: "employee", bin: binX, org: orgX, folder: "company-X", from: -340, to: 25}}},
		{who: "staff", surname: "ЛИ", name: "АННА", patronymic: "ВИКТОРОВНА", iin: "009900001036", phone: "+77010001036", cabinet: true, lang: lang.EN,
			keys: []seedKey{{profile: "hr", bin: binX, org: orgX, folder: "company-X", from: -356, to: 9}}},
		{who: "newcomer", surname: "ИВАНОВА", name: "МАРИЯ", patronymic: "ПЕТРОВНА", iin: "009900001046", phone: "+77010001046", cabinet: true,
			keys: []seedKey{year("individual", "", "", "personal")}},
		{who: "bookkeeper", surname: "САДЫКОВА", name: "ГУЛЬНАРА", patronymic: "ЕРЛАНОВНА", iin: "009900001056", phone: "+77010001056", cabinet: true, lang: lang.KK,
			keys: []seedKey{year("individual", "", "", "personal"),
				{profile: "finance", bin: binY, org: orgY, folder: "company-Y", from: -353, to: 12},
				{profile: "finance", bin: binZ, org: orgZ, folder: "company-Z", from: -345, to: 20},
				{profile: "finance", bin: binW, org: orgW, folder: "company-W", from: -325, to: 40}}},
		{who: "owner", surname: "НУРЛАНОВ", name: "ДАУРЕН", patronymic: "ЕРЖАНОВИЧ", iin: "009900001066", phone: "+77010001066", cabinet: true, lang: lang.EN,
			keys: []seedKey{year("head", binZ, orgZ, "company-Z"), year("head", binW, orgW, "company-W")}},
		{who: "expired", surname: "КАСЫМОВ", name: "БОЛАТ", patronymic: "САБИТОВИЧ", iin: "009900001076", phone: "+77010001076", cabinet: true, city: "Алматы",
			keys: []seedKey{{profile: "individual", folder: "personal", from: -368, to: -3}}},
		{who: "clerk-1", surname: "ОРЫНБАЕВА", name: "САУЛЕ", patronymic: "КАЙРАТОВНА", iin: "009900000008",
			keys: []seedKey{year("operator", binClerk, orgClerk, "office")}},
		{who: "clerk-2", surname: "КИМ", name: "ДМИТРИЙ", patronymic: "ОЛЕГОВИЧ", iin: "009900000909",
			keys: []seedKey{year("operator", binClerk, orgClerk, "office")}},
	}
}

// batch is the registry of the first day: old-head leads X and Y, owner Z and W.
func batch(now time.Time) registry.Batch {
	b := registry.Batch{Source: registry.SourceLegal, Full: true, AsOf: now.Add(-time.Hour), Operator: "system"}
	for _, e := range []registry.LegalEntity{
		{BIN: binX, Kind: registry.LE, NameRU: orgX, NameKK: "«ТЕСТ» АҚ", NameEN: "TEST JSC", Status: registry.Active, Registered: "2012-04-05",
			AddressRU: "г. Астана, ул. Достык, 1", AddressKK: "Астана қ., Достық к-сі, 1"},
		{BIN: binY, Kind: registry.LE, NameRU: orgY, NameKK: "«ДОСТЫҚ» ЖШС", NameEN: "DOSTYK LLP", Status: registry.Active, Registered: "2015-09-14",
			AddressRU: "г. Алматы, пр. Абая, 10", AddressKK: "Алматы қ., Абай даңғ., 10"},
		{BIN: binZ, Kind: registry.LE, NameRU: orgZ, NameKK: "«АЛМА» ЖШС", NameEN: "ALMA LLP", Status: registry.Active, Registered: "2018-03-20",
			AddressRU: "г. Алматы, ул. Сатпаева, 5", AddressKK: "Алматы қ., Сәтбаев к-сі, 5"},
		{BIN: binW, Kind: registry.LE, NameRU: orgW, NameKK: "«САПАР» ЖШС", NameEN: "SAPAR LLP", Status: registry.Active, Registered: "2021-11-02",
			AddressRU: "г. Шымкент, ул. Байтурсынова, 7", AddressKK: "Шымкент қ., Байтұрсынов к-сі, 7"},
	} {
		b.Entities = append(b.Entities, e)
		who := "old-head"
		if e.BIN == binZ || e.BIN == binW {
			who = "owner"
		}
		for _, m := range cast() {
			if m.who == who {
				b.Leaders = append(b.Leaders, registry.Leader{BIN: e.BIN, IIN: ident.IIN(m.iin), Surname: m.surname, Name: m.name, Patronymic: m.patronymic,
					Position: "Директор", AppointedOn: "2021-12-01"})
			}
		}
	}
	return b
}

func persons(now time.Time) registry.Batch {
	b := registry.Batch{Source: registry.SourcePersons, Full: true, AsOf: now.Add(-time.Hour), Operator: "system"}
	for _, m := range cast() {
		b.Persons = append(b.Persons, registry.Person{IIN: ident.IIN(m.iin), Surname: m.surname, Name: m.name, Patronymic: m.patronymic})
	}
	return b
}

// contacts are their phones; the accountant and the clerks registered none.
func contacts(now time.Time) registry.Batch {
	b := registry.Batch{Source: registry.SourceMobile, Full: true, AsOf: now.Add(-time.Hour), Operator: "system"}
	for _, m := range cast() {
		if m.phone != "" {
			b.Contacts = append(b.Contacts, registry.MobileContact{IIN: ident.IIN(m.iin), Phone: m.phone, RegisteredOn: "2024-02-01"})
		}
	}
	return b
}

// taxpayers are the companies, and two people who trade or practise in their own names.
func taxpayers(now time.Time) registry.Batch {
	b := registry.Batch{Source: registry.SourceTax, Full: true, AsOf: now.Add(-time.Hour), Operator: "system"}
	for _, e := range batch(now).Entities {
		b.Taxpayers = append(b.Taxpayers, registry.Taxpayer{TIN: string(e.BIN), Type: registry.TaxPrivateEnterprise, NameRU: e.NameRU, NameKK: e.NameKK,
			VATFrom: "2022-01-01", VATSeries: "62001", VATNumber: "0001234"})
	}
	for _, m := range cast() {
		t := registry.Taxpayer{TIN: m.iin, NameRU: m.fullName(), Type: registry.TaxIndividual}
		switch m.who {
		case "newcomer":
			t.Type, t.IPFrom, t.NameRU = registry.TaxEntrepreneur, "2021-05-04", "ИП "+m.fullName()
		case "deputy":
			t.Practice = registry.Notary
		default:
			continue
		}
		b.Taxpayers = append(b.Taxpayers, t)
	}
	return b
}

// subject is what the authority writes into the person's certificate.
func (m member) subject(k seedKey) ca.Subject {
	return ca.Subject{CommonName: m.commonName(), Surname: m.surname, Patronymic: m.patronymic, IIN: m.iin,
		Organization: k.org, BIN: k.bin, Email: m.email()}
}
